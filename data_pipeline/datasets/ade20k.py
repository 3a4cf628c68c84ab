"""ADE20K, the SceneParsing release: 150 classes, ids as stored (0 is unlabelled already)."""

from data_pipeline.datasets.ade20k_names import CLASS_NAMES
from data_pipeline.datasets.dataset import Dataset
from data_pipeline.datasets.pairs import LABELS, PICTURES, find, pair
from data_pipeline.datasets.pictures import load_ids
from data_pipeline.errors import DataError
from data_pipeline.labels.legend import Legend

LEGEND = Legend.coloured(CLASS_NAMES)
_FOLDERS = {"train": "training", "val": "validation"}


def open_ade20k(source, splits):
    """Finds the pairs of `{images,annotations}/{training,validation}`.

    Args:
        source: Path of `ADEChallengeData2016` or of the directory around it.
        splits: of ("train", "val"), or None for both.

    Returns:
        Dataset with N = 151.

    Raises:
        DataError: a folder is missing or empty, or files have no partner.
    """
    if (source / "ADEChallengeData2016").is_dir():
        source = source / "ADEChallengeData2016"
    items = {}
    for split in splits or ("train", "val"):
        image_folder = source / "images" / _FOLDERS[split]
        label_folder = source / "annotations" / _FOLDERS[split]
        images, labels = find(image_folder, PICTURES), find(label_folder, LABELS)
        items[split] = pair(images, labels, image_folder, label_folder)
    return Dataset(_class_names(source / "objectInfo150.txt"), items, load_ids)


def _class_names(path):
    """First synonym of each class; without that file, those of the release."""
    if not path.is_file():
        return CLASS_NAMES
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:] if line]
    names = [row[-1].split(",")[0].strip() for row in rows]
    if len(names) != len(CLASS_NAMES) - 1:
        raise DataError(
            f"{path} must list {len(CLASS_NAMES) - 1} classes after a header. "
            f"Received: {len(names)}"
        )
    return ("unlabelled", *names)
