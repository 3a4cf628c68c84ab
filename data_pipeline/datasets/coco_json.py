"""The JSON files of COCO's formats: where tools put them, and what all of them must hold."""

from dataclasses import replace

from data_pipeline.datasets.class_table import class_table
from data_pipeline.datasets.file_index import FileIndex, noted_parts
from data_pipeline.datasets.pairs import PICTURES
from data_pipeline.datasets.problems import raise_all
from data_pipeline.datasets.splits import split_of_file, split_of_folders
from data_pipeline.errors import DataError, listing


def find_json(source, kind, splits):
    """Finds the file of each split: in `source`, in `annotations/`, or in the split's directory.

    Files whose name begins with `kind` go before all others. One that names no split is that of
    "train"; those of "test" are left out.

    Args:
        source: Path of the directory.
        kind: "instances" or "panoptic".
        splits: of ("train", "val"), or None for those that exist.

    Returns:
        {split: Path}.

    Raises:
        DataError: a split has none or several.
    """
    paths = [path for pattern in ("*.json", "*/*.json") for path in sorted(source.glob(pattern))]
    paths = [path.relative_to(source) for path in paths]
    paths = [path for path in paths if not any(part.startswith(".") for part in path.parts)]
    paths = [path for path in paths if path.name.startswith(kind)] or paths
    found = {"train": [], "val": [], "test": [], None: []}
    for path in paths:
        found[split_of_file(path)].append(source / path)
    found["train"] = found["train"] or found[None]
    wanted = splits or [split for split in ("train", "val") if found[split]]
    wrong = [
        f"{len(found[split])} files for {split}: {', '.join(map(str, found[split])) or 'none'}"
        for split in wanted
        if len(found[split]) != 1
    ]
    if wrong or not wanted:
        raise DataError(
            f"{source} must hold one JSON file a split, such as annotations/{kind}_train.json, "
            f"train/_annotations.coco.json or, for train alone, result.json. "
            f"Received: {listing(wrong).strip() or 'no JSON file'}"
        )
    return {split: found[split][0] for split in wanted}


def read_files(files, read):
    """Reads the files, and makes our classes of their categories in the order of their ids.

    Args:
        files: {split: Path}.
        read: function of (split, Path); what it returns has lists `images` and `categories`.

    Returns:
        ({split: what `read` returns}, our class names, {category id: our id}).

    Raises:
        DataError: an unreadable file, one without the three lists, malformed categories, or files
            that do not agree on them; all of these at once.
    """
    contents = {split: read(split, path) for split, path in files.items()}
    names, problems = {}, []
    for split, content in contents.items():
        for entry in content.categories:
            number, name = entry.get("id"), entry.get("name")
            if type(number) is not int or not isinstance(name, str) or not name:
                problems.append(
                    f"{files[split]}: a category must have an int 'id' and a str 'name': {entry!r}"
                )
            elif names.setdefault(number, name) != name:
                problems.append(
                    f"{files[split]}: category {number} must have one name in all files: "
                    f"{names[number]!r} and {name!r}"
                )
    if not names and not problems:
        problems.append(f"{', '.join(map(str, files.values()))}: categories must be listed: none")
    raise_all(problems)
    numbers = sorted(names)
    class_names, ours = class_table([names[number] for number in numbers])
    return contents, class_names, dict(zip(numbers, ours, strict=True))


def check_images(images, path):
    """Checks the list of images.

    Args:
        images: of the JSON.
        path: its file, for the errors.

    Returns:
        ({image id: image}, list of problems). The images that are well-formed.
    """
    good, problems = {}, []
    for image in images:
        number, name = image.get("id"), image.get("file_name")
        size = (image.get("height"), image.get("width"))
        if type(number) not in (int, str) or not isinstance(name, str) or not noted_parts(name):
            problems.append(f"{path}: an image must have an 'id' and a 'file_name': {image!r}")
        elif not all(type(side) is int and side > 0 for side in size):
            problems.append(
                f"{path}: image {number} ({name}) must have a positive int 'height' and 'width': "
                f"{size[0]!r} and {size[1]!r}"
            )
        elif number in good:
            problems.append(f"{path}: image ids must be unique: {number} twice")
        else:
            good[number] = image
    return good, problems


def with_pictures(items, source, files, problems, skip_missing, without=()):
    """Finds the pictures of items in any folder, or raises all that is wrong.

    Of several pictures of one name, those go first that share more folders with the noted name,
    then those beside the JSON, then those in a folder named for the split.

    Args:
        items: {split: items whose `image` is the `file_name` of the JSON}.
        source: Path of the directory to look in.
        files: {split: Path of the JSON}.
        problems: list of str, what has been found to be wrong already.
        skip_missing: leave items out whose picture does not exist.
        without: Paths of directories that hold no pictures.

    Returns:
        ({split: items with their pictures}, names of the missing pictures).

    Raises:
        DataError: there are problems, one of them may be a picture that two items name; or
            pictures are missing, or all those of a split.
    """
    index = FileIndex(source, PICTURES, without)
    found, names, problems = {}, set(), [*problems]  # found: {picture: [(split, item)]}
    missing = []
    for split, mine in items.items():
        for item in mine:
            if (split, item.name) in names:
                problems.append(f"{files[split]}: no two images may have one name: {item.image}")
            names.add((split, item.name))
            pictures = index.find(item.image, _beside(files[split]), _of_split(split, source))
            if len(pictures) > 1:
                several = ", ".join(map(str, pictures))
                problems.append(f"{files[split]}: {item.image} must be one picture: {several}")
            elif pictures:
                found.setdefault(pictures[0], []).append((split, item))
            else:
                missing.append(item.image)
    kept = {split: [] for split in items}
    for picture, claims in found.items():
        # train/1.jpg is not val/1.jpg, though the last part is the same and val/1.jpg is missing.
        whole = [claim for claim in claims if _ends_with(picture, claim[1].image)]
        if len(claims) > 1 and len(whole) != 1:
            which = " and ".join(f"{item.image} of {files[split]}" for split, item in claims)
            problems.append(f"{picture} must be one image's picture: {which}")
        missing += [claim[1].image for claim in claims if len(claims) > 1 and claim not in whole]
        split, item = (whole or claims)[0]
        kept[split].append(replace(item, image=picture))
    raise_all(problems)
    if missing and not skip_missing:
        raise DataError(
            f"{len(missing)} of {sum(map(len, items.values()))} pictures were not found in any "
            f"folder of {source} (--skip_missing leaves them out). Received:\n{listing(missing)}"
        )
    for split in kept:
        if not kept[split]:
            raise DataError(f"{files[split]} must name pictures that exist. Received: none")
    return kept, tuple(missing)


def picture_name(file_name):
    """Name of an example: the picture's noted path without its suffix.

    >>> picture_name("images/street.01.jpg")
    'images/street.01'
    """
    *folders, name = noted_parts(file_name)
    return "/".join((*folders, name.rpartition(".")[0] or name))


def _beside(json_path):
    return lambda picture: picture.parent == json_path.parent


def _of_split(split, source):
    return lambda picture: split_of_folders(picture.relative_to(source)) == split


def _ends_with(path, noted):
    parts = noted_parts(noted)
    return path.parts[-len(parts) :] == parts
