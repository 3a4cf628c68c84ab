"""What a build is going to do, decided before the first byte is written."""

import dataclasses
import hashlib
import itertools
import json
import math
import os
import random
from dataclasses import dataclass
from pathlib import Path

from data_pipeline.building.val_share import set_aside
from data_pipeline.datasets import DATASETS
from data_pipeline.errors import DataError
from data_pipeline.records.manifest import FORMAT_VERSION

SIZE_MULTIPLE = 64  # the networks halve the image six times
_ORDER_SEED = 0
_SHARD_EXAMPLES = 1024
_SHARD_BYTES = 100e6
_BYTES_PER_PIXEL = 2  # of a stored photograph and its label map, as measured on COCO
_MIN_TRAIN_SHARDS = 8  # so that a data set can be spread over readers


@dataclass(frozen=True)
class Request:
    """The arguments that decide what is built.

    Attributes:
        dataset: a name of DATASETS.
        source: directory to read.
        splits: of ("train", "val"), or None for the data set's own choice.
        image_size: (height, width) that training sees, or None for the data set's own.
        crop: store training images larger than `image_size`, if the data set does so at all.
        out_of_range: "error", or "unlabelled" to make ids beyond the class list 0.
        options: arguments of this data set only, such as {"skip_missing": True}.
        exif: "follow" turns pictures upright where their label maps are, "ignore" none.
        skip_broken: leave out examples that cannot be read, and annotations that outline nothing.
        val_share: share of the training examples to set aside where there is no val split.
    """

    dataset: str
    source: Path
    splits: tuple[str, ...] | None = None
    image_size: tuple[int, int] | None = None
    crop: bool = True
    out_of_range: str = "error"
    options: dict | None = None
    exif: str = "follow"
    skip_broken: bool = False
    val_share: float | None = None

    def resolve(self):
        """Fills in the data set's defaults.

        Raises:
            DataError: the data set is unknown, a size is no multiple of 64, or an option belongs
                to another data set.
        """
        if self.dataset not in DATASETS:
            raise DataError(
                f"--dataset must be one of {', '.join(DATASETS)}. Received: {self.dataset}"
            )
        entry = DATASETS[self.dataset]
        options = {key: value for key, value in (self.options or {}).items() if value}
        for key in options.keys() - set(entry.options):
            raise DataError(
                f"--{key} must not be given with --dataset {self.dataset}. Received: {options[key]}"
            )
        size = tuple(self.image_size or entry.image_size)
        check_image_size(size)
        if self.val_share is not None and not 0 < self.val_share < 1:
            raise DataError(f"--val_share must be between 0 and 1. Received: {self.val_share}")
        return dataclasses.replace(
            self,
            source=Path(os.path.abspath(self.source)),
            image_size=size,
            crop=self.crop and entry.crop,
            options=options,
        )

    def identity(self):
        """What a finished build remembers to recognise the same command: plain JSON values.

        Arguments that earlier versions did not have are in it only where they change something.
        """
        later = {"exif": "follow", "skip_broken": False, "val_share": None}
        return {
            "dataset": self.dataset,
            "source": str(self.source),
            "splits": list(self.splits) if self.splits else None,
            "image_size": list(self.image_size),
            "crop": self.crop,
            "out_of_range": self.out_of_range,
            "options": {key: _plain(value) for key, value in sorted(self.options.items())},
            **{key: getattr(self, key) for key in later if getattr(self, key) != later[key]},
        }

    def open(self, notes):
        """Runs the data set's own cheap checks and returns its Dataset.

        Args:
            notes: Path of the directory for what an interrupted build can use again.
        """
        if not self.source.is_dir():
            raise DataError(f"--source must be an existing directory. Received: {self.source}")
        entry, options = DATASETS[self.dataset], dict(self.options)
        if entry.keeps_notes:
            options["notes"] = notes
        if self.skip_broken and entry.annotations:
            options["skip_broken"] = True
        if self.val_share is None:
            return entry.open(self.source, self.splits, **options)
        dataset = set_aside(entry.open(self.source, None, **options), self.val_share)
        items = {split: dataset.items[split] for split in self.splits or dataset.items}
        return dataclasses.replace(dataset, items=items)

    def stored_size(self, split):
        """(height, width) of the records of a split.

        Training images are stored at 286/256 of the size, the margin the random crop needs.
        """
        if split == "train" and self.crop:
            return tuple((side * 286 + 128) // 256 for side in self.image_size)
        return self.image_size


@dataclass(frozen=True)
class ShardPlan:
    """One shard to be: its split, file name and items in writing order."""

    split: str
    name: str
    items: list


def check_image_size(size):
    """Raises DataError unless height and width are positive multiples of 64."""
    if all(side > 0 and side % SIZE_MULTIPLE == 0 for side in size):
        return
    near = [max(1, round(side / SIZE_MULTIPLE)) * SIZE_MULTIPLE for side in size]
    raise DataError(
        f"--image_size must be two positive multiples of {SIZE_MULTIPLE} (the networks halve the "
        f"image six times). Received: {size[0]} {size[1]}; the nearest possible is "
        f"{near[0]} {near[1]}"
    )


def plan_shards(items, split, stored_size):
    """Distributes the items of one split over shards.

    Training items are put in a random, always equal order, so that a shuffle buffer smaller than
    the data set still mixes it (neighbouring frames of a video, say). Others keep source order.

    Returns:
        list of ShardPlan.
    """
    items = list(items)
    if split == "train":
        random.Random(_ORDER_SEED).shuffle(items)
    height, width = stored_size
    most = min(_SHARD_EXAMPLES, max(1, int(_SHARD_BYTES / (height * width * _BYTES_PER_PIXEL))))
    least = min(_MIN_TRAIN_SHARDS, len(items)) if split == "train" else 1
    count = max(math.ceil(len(items) / most), least)
    bounds = [len(items) * i // count for i in range(count + 1)]
    return [
        ShardPlan(split, f"{split}-{i:05d}-of-{count:05d}.tfrecord", items[start:stop])
        for i, (start, stop) in enumerate(itertools.pairwise(bounds))
    ]


def fingerprint(identity, dataset, states):
    """Hashes what the shards will be made from: arguments, classes, and every source file's state.

    Args:
        identity: of the request.
        dataset: `Dataset` that it opens.
        states: `source_files.file_states` of that.

    Returns:
        hexadecimal str.
    """
    digest = hashlib.sha256()
    head = [FORMAT_VERSION, identity, dataset.class_names, sorted(dataset.items)]
    digest.update(json.dumps(head).encode())
    for split in sorted(dataset.items):
        for item in dataset.items[split]:
            files = [[str(path), *(states[path] or ())] for path in (item.image, item.label)]
            digest.update(json.dumps([split, item.name, *files]).encode())
    return digest.hexdigest()


def _plain(value):
    return os.path.abspath(value) if isinstance(value, Path) else value
