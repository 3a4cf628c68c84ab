"""Matching pictures with label maps, for the data sets that keep both as files."""

from data_pipeline.datasets.dataset import Item
from data_pipeline.errors import DataError, listing

PICTURES = (".jpg", ".jpeg", ".png")
LABELS = (".png",)


def find(folder, suffixes, ending="", recursive=False):
    """Lists the files of a folder by what pairs are matched on.

    Args:
        folder: Path.
        suffixes: accepted file suffixes, lower case.
        ending: end of the stem that is no part of the key; other files are left out.
        recursive: also look into sub-directories.

    Returns:
        {key: Path} in sorted order; a key is the path inside `folder` without ending and suffix.

    Raises:
        DataError: the folder does not exist, or two files have the same key.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} must be an existing directory. Received: nothing there")
    files = {}
    for path in sorted(folder.rglob("*") if recursive else folder.glob("*")):
        named = path.suffix.lower() in suffixes and path.stem.endswith(ending)
        if not named or path.name.startswith("."):
            continue
        key = path.relative_to(folder).with_suffix("").as_posix().removesuffix(ending)
        if key in files:
            raise DataError(
                f"two files of {folder} must not share the name {key!r}. "
                f"Received: {files[key].name} and {path.name}"
            )
        files[key] = path
    return files


def pair(images, labels, image_folder, label_folder, label_name="{}.png"):
    """Makes an item of every picture and its label map.

    Args:
        images, labels: {key: Path}, from `find`.
        image_folder, label_folder: where they were looked for.
        label_name: file name of the label map that belongs to a key.

    Returns:
        Items in sorted order of the keys.

    Raises:
        DataError: nothing found, or some have no partner (all of them are named).
    """
    if not images and not labels:
        raise DataError(f"{image_folder} must hold pictures. Received: no picture in it")
    alone = [
        f"picture {images[key]} has no label map {label_folder / label_name.format(key)}"
        for key in sorted(images.keys() - labels.keys())
    ] + [
        f"label map {labels[key]} has no picture {image_folder / key}.*"
        for key in sorted(labels.keys() - images.keys())
    ]
    if alone:
        raise DataError(
            "every picture must have a label map and the reverse. "
            f"Received: {len(alone)} without partner:\n{listing(alone)}"
        )
    return [Item(key, images[key], labels[key]) for key in sorted(images)]
