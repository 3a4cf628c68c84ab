"""A part of the training pictures set aside for validation, always the same one."""

import dataclasses
import hashlib

from data_pipeline.errors import DataError

_SEED = 0


def set_aside(dataset, share):
    """Moves a share of a data set's only split, train, to val.

    Which examples are in val depends on their names alone: a set that grows by some keeps nearly
    all others where they were.

    Args:
        dataset: Dataset.
        share: of the examples, in (0, 1); one example at least, and not all.

    Returns:
        Dataset with the splits train and val, each in source order.

    Raises:
        DataError: there is a val split already, or there are fewer than two examples.
    """
    if list(dataset.items) != ["train"]:
        raise DataError(
            "--val_share must be given only for data without a val split. Received: "
            f"{' and '.join(f'{len(items)} {split}' for split, items in dataset.items.items())}"
        )
    items = dataset.items["train"]
    if len(items) < 2:
        raise DataError(f"--val_share must leave an example for each split. Received: {len(items)}")
    count = min(max(1, round(share * len(items))), len(items) - 1)
    chosen = {item.name for item in sorted(items, key=_rank)[:count]}
    parts = {
        "train": [item for item in items if item.name not in chosen],
        "val": [item for item in items if item.name in chosen],
    }
    return dataclasses.replace(dataset, items=parts)


def _rank(item):
    return hashlib.sha256(f"{_SEED}/{item.name}".encode()).digest()
