"""ADE20K, the SceneParsing release: 150 classes, ids as stored (0 is unlabelled already)."""

from data_pipeline.datasets.ade20k_names import CLASS_NAMES
from data_pipeline.datasets.dataset import Dataset
from data_pipeline.datasets.pairs import find_pairs
from data_pipeline.datasets.pictures import load_ids
from data_pipeline.errors import DataError
from data_pipeline.files import read_text
from data_pipeline.labels.legend import Legend

LEGEND = Legend.coloured(CLASS_NAMES)
_FOLDERS = {"train": "training", "val": "validation"}


# Made from the published maps by other projects' converters, which drop id 0.
_REDUCED = (
    "255 is an id of ADE20K's reduced encoding only (classes 0 to 149, 255 unlabelled: "
    "reduce_zero_label), in which every class is one lower than in the published maps (0 "
    "unlabelled, classes 1 to 150). Wanted are the published maps, annotations/ of "
    "ADEChallengeData2016"
)


def open_ade20k(source, splits, *, skip_unpaired=False):
    """Finds the pairs of `{images,annotations}/{training,validation}`.

    Args:
        source: Path of `ADEChallengeData2016` or of the directory around it.
        splits: of ("train", "val"), or None for both.
        skip_unpaired: leave files without partner out.

    Returns:
        Dataset with N = 151.

    Raises:
        DataError: a folder is missing or empty, or files have no partner.
    """
    if (source / "ADEChallengeData2016").is_dir():
        source = source / "ADEChallengeData2016"
    folders = {
        split: (source / "images" / _FOLDERS[split], source / "annotations" / _FOLDERS[split])
        for split in splits or ("train", "val")
    }
    pairs = find_pairs(folders, skip_unpaired=skip_unpaired)
    class_names = _class_names(source / "objectInfo150.txt")
    return Dataset(
        class_names,
        pairs.items,
        load_ids,
        unpaired=pairs.unpaired,
        foreign_ids={255: _REDUCED},
    )


def _class_names(path):
    """First synonym of each class; without that file, those of the release."""
    if not path.is_file():
        return CLASS_NAMES
    rows = [line.split("\t") for line in read_text(path).splitlines()[1:] if line]
    names = [row[-1].split(",")[0].strip() for row in rows]
    if len(names) != len(CLASS_NAMES) - 1:
        raise DataError(
            f"{path} must list {len(CLASS_NAMES) - 1} classes after a header. "
            f"Received: {len(names)}"
        )
    return ("unlabelled", *names)
