"""Matching pictures with label maps, for the data sets that keep both as files."""

from collections import Counter
from dataclasses import dataclass

from data_pipeline.datasets.dataset import Item
from data_pipeline.datasets.suffixes import explain_by_suffixes
from data_pipeline.datasets.walk import walk
from data_pipeline.errors import DataError, listing

PICTURES = (".jpg", ".jpeg", ".png")
LABELS = (".png",)
# What tools save pictures as.
_OTHER_PICTURES = {".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".png"}
_KINDS = {".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF"}
TRAIN_IDS = "_labelTrainIds"
_LISTED = 20


@dataclass(frozen=True)
class Pairs:
    """What `find_pairs` has found.

    Attributes:
        items: {split: items in sorted order of their names}.
        unpaired: descriptions of the files without partner, which were left out.
    """

    items: dict[str, list[Item]]
    unpaired: tuple[str, ...]


def find_pairs(
    folders,
    *,
    pictures=PICTURES,
    labels=LABELS,
    picture_ending="",
    label_ending="",
    without_ending="",
    skip_unpaired=False,
    suffix_flags=False,
):
    """Makes an item of every picture and its label map, which have one path inside their folders.

    Args:
        folders: {split: (folder of pictures, folder of label maps)}. Where both are one, pictures
            are the files without `label_ending`.
        pictures, labels: accepted file suffixes, lower case.
        picture_ending, label_ending: ends of the file stems that are no part of the name; other
            files are left out.
        without_ending: end of the stems of further files to leave out.
        skip_unpaired: leave files without partner out.
        suffix_flags: propose --image_suffix and --label_suffix where endings explain everything.

    Returns:
        `Pairs`.

    Raises:
        DataError: a folder does not exist or holds nothing, two files share a name, or files have
            no partner: those of all splits are listed.
    """
    found = {}
    for split, (picture_folder, label_folder) in folders.items():
        kinds, others = pictures, ""
        if picture_folder == label_folder:
            others = label_ending
            # Without an ending, only the kind of a file can tell what it is.
            kinds = pictures if others else [kind for kind in pictures if kind not in labels]
        images = find(picture_folder, kinds, picture_ending, others)
        maps = find(label_folder, labels, label_ending, without_ending)
        if not images and not maps:
            raise DataError(f"{picture_folder} must hold pictures. Received: no picture in it")
        found[split] = (images, maps)
    alone = []  # [(split, text)]
    for split, (images, maps) in found.items():
        picture_folder, label_folder = folders[split]
        wanted = label_ending + labels[0]
        for name in sorted(images.keys() - maps.keys()):
            label = label_folder / (name + wanted)
            alone.append((split, f"picture {images[name]} has no label map {label}"))
        for name in sorted(maps.keys() - images.keys()):
            picture = picture_folder / (name + picture_ending)
            alone.append((split, f"label map {maps[name]} has no picture {picture}.*"))
    both = {split: images.keys() & maps.keys() for split, (images, maps) in found.items()}
    lonely = tuple(text for _, text in alone)
    if alone and (not skip_unpaired or not all(both.values())):
        counts = ", ".join(f"{n} in {s}" for s, n in Counter(s for s, _ in alone).items())
        hints = unfit_label_maps(folders, labels, label_ending)
        hints += _train_ids([folders[split][1] for split, (_, maps) in found.items() if not maps])
        if any(both.values()):
            hints += [] if skip_unpaired else ["--skip_unpaired leaves them out."]
        elif suffix_flags:
            hints += explain_by_suffixes(list(found.values()), picture_ending, label_ending)
        raise DataError(
            "every picture must have a label map and the reverse. "
            f"Received: {len(alone)} without partner ({counts}):\n"
            + "\n".join([listing(lonely, _LISTED), *hints])
        )
    items = {
        split: [Item(name, images[name], maps[name]) for name in sorted(both[split])]
        for split, (images, maps) in found.items()
    }
    return Pairs(items, lonely)


def find(folder, suffixes, ending="", without_ending=""):
    """Lists the files of a directory tree by what pairs are matched on.

    Args:
        folder: Path.
        suffixes: accepted file suffixes, lower case.
        ending: end of the stem that is no part of the name; other files are left out.
        without_ending: files whose stem ends so are left out.

    Returns:
        {name: Path}; a name is the path inside `folder` without ending and suffix.

    Raises:
        DataError: the folder does not exist, or two files have the same name.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} must be an existing directory. Received: nothing there")
    files = {}
    for path in walk(folder):
        if path.suffix.lower() not in suffixes or not path.stem.endswith(ending):
            continue
        if without_ending and path.stem.endswith(without_ending):
            continue
        name = path.relative_to(folder).with_suffix("").as_posix().removesuffix(ending)
        if name in files:
            raise DataError(
                f"two files of {folder} must not share the name {name!r}. "
                f"Received: {files[name].name} and {path.name}"
            )
        files[name] = path
    return files


def unfit_label_maps(folders, labels, label_ending=""):
    """What to say of pictures where label maps are looked for, but of kinds that hold no ids.

    Args:
        folders, labels, label_ending: as for `find_pairs`.

    Returns:
        list of one line, or empty.
    """
    unfit = [
        path
        for picture_folder, label_folder in folders.values()
        if picture_folder != label_folder
        for path in walk(label_folder)
        if path.suffix.lower() in _OTHER_PICTURES.difference(labels)
        and path.stem.endswith(label_ending)
    ]
    if not unfit:
        return []
    kinds = " or ".join(dict.fromkeys(_KINDS[suffix] for suffix in labels))
    return [
        f"Label maps must be {kinds} files, which keep every id; JPEG and its like change ids near "
        f"every edge, so export them again. Received: {len(unfit)} others, such as {unfit[0]}"
    ]


def _train_ids(label_folders):
    """One line on maps of train ids that stand in for the published ones, if there are any."""
    found = [
        path
        for folder in label_folders
        for path in walk(folder)
        if path.suffix.lower() == ".png" and path.stem.endswith(TRAIN_IDS)
    ]
    if not found:
        return []
    return [
        f"{found[0]} and its like ({len(found)} files) hold train ids: fewer classes with other "
        "numbers, made by the converter of another project. Wanted are the label maps as published."
    ]
