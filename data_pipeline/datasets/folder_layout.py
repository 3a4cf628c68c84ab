"""Where a directory of anybody's keeps its pictures and label maps."""

from dataclasses import dataclass
from pathlib import Path, PurePath

from data_pipeline.datasets.splits import split_of_folders
from data_pipeline.datasets.walk import walk
from data_pipeline.errors import DataError

IMAGES = "images"
LABELS = ("labels", "masks")
_LAYOUTS = (
    "images/train and labels/train, train/images and train/labels, or, without splits, images and "
    "labels (masks may stand for labels; validation may be called val, valid or validation)"
)


@dataclass(frozen=True)
class Layout:
    """What `find_layout` has found.

    Attributes:
        folders: {split: (folder of pictures, folder of label maps)}, "train" before "val".
        left_out: what lies beside the splits and belongs to none, such as "images/test".
    """

    folders: dict[str, tuple[Path, Path]]
    left_out: tuple[str, ...]


def find_layout(source, splits, suffixes):
    """Finds the folders of pictures and label maps.

    Args:
        source: Path of the directory.
        splits: of ("train", "val"), or None for those that exist.
        suffixes: of label maps, lower case; of two possible folders the one that has some is it.

    Returns:
        `Layout`. A directory without splits is all "train".

    Raises:
        DataError: none of the layouts, two folders for one split, or a split that is not there.
    """
    if (source / IMAGES).is_dir():
        images, labels = source / IMAGES, _label_folder(source, suffixes)
        of_images, others = _split_folders(images)
        if of_images:
            of_labels, _ = _split_folders(labels)
            names = {**of_labels, **of_images}  # {split: folder that is there}
            folders = {
                split: (
                    of_images.get(split, images / names[split].name),
                    of_labels.get(split, labels / names[split].name),
                )
                for split in names
            }
        else:
            folders, others = {"train": (images, labels)}, []
    else:
        roots, others = _split_folders(source)
        others = [path for path in others if path.name in (IMAGES, *LABELS)]
        folders = {split: _within(root, suffixes) for split, root in roots.items()}
    left_out = [folders.pop("test")[0]] if "test" in folders else []
    wanted = [split for split in ("train", "val") if split in (splits or folders)]
    if not folders or not all(split in folders for split in wanted):
        missing = " and ".join(split for split in wanted if split not in folders)
        raise DataError(
            f"{source} must hold {_LAYOUTS}. Received: no {missing or 'train and no val'}"
        )
    left_out = [str(path.relative_to(source)) for path in [*left_out, *others]]
    return Layout({split: folders[split] for split in wanted}, tuple(left_out))


def _within(root, suffixes):
    """The two folders of a split's directory; the directory itself where it holds all files."""
    if (root / IMAGES).is_dir():
        return root / IMAGES, _label_folder(root, suffixes)
    return root, root


def _label_folder(parent, suffixes):
    there = [parent / name for name in LABELS if (parent / name).is_dir()]
    if len(there) > 1:
        there = [path for path in there if _holds(path, suffixes)] or there
    if len(there) != 1:
        received = " and ".join(path.name for path in there) or "neither"
        raise DataError(f"{parent} must hold one of {' and '.join(LABELS)}. Received: {received}")
    return there[0]


def _holds(folder, suffixes):
    return any(path.suffix.lower() in suffixes for path in walk(folder))


def _split_folders(parent):
    """({split: directory}, list of the other directories) directly in a directory."""
    found, others = {}, []
    for path in sorted(parent.iterdir()):
        if path.name.startswith(".") or not path.is_dir():
            continue
        split = split_of_folders(PurePath(path.name, "file"))
        if split in found:
            raise DataError(
                f"{parent} must hold one directory for {split}. "
                f"Received: {found[split].name} and {path.name}"
            )
        if split is None:
            others.append(path)
        else:
            found[split] = path
    return found, others
