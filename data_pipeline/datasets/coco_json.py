"""The JSON files of COCO's formats: where tools put them, and what all of them must hold."""

from data_pipeline.datasets.class_table import class_table
from data_pipeline.datasets.file_index import FileIndex, noted_parts
from data_pipeline.datasets.lvis import read_json
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


def read_files(files):
    """Reads the files, and makes our classes of their categories in the order of their ids.

    Args:
        files: {split: Path}.

    Returns:
        ({split: content}, our class names, {category id: our id}).

    Raises:
        DataError: an unreadable file, one without the three lists, malformed categories, or files
            that do not agree on them; all of these at once.
    """
    contents = {split: read_json(path) for split, path in files.items()}
    names, problems = {}, []
    for split, content in contents.items():
        for entry in content["categories"]:
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


def check_images(content, path):
    """Checks the list of images.

    Args:
        content: the JSON.
        path: its file, for the errors.

    Returns:
        ({image id: image}, list of problems). The images that are well-formed.
    """
    images, problems = {}, []
    for image in content["images"]:
        number, name = image.get("id"), image.get("file_name")
        size = (image.get("height"), image.get("width"))
        if type(number) not in (int, str) or not isinstance(name, str) or not noted_parts(name):
            problems.append(f"{path}: an image must have an 'id' and a 'file_name': {image!r}")
        elif not all(type(side) is int and side > 0 for side in size):
            problems.append(
                f"{path}: image {number} ({name}) must have a positive int 'height' and 'width': "
                f"{size[0]!r} and {size[1]!r}"
            )
        elif number in images:
            problems.append(f"{path}: image ids must be unique: {number} twice")
        else:
            images[number] = image
    return images, problems


class Pictures:
    """The pictures under a directory, to be found by the `file_name` of a JSON.

    Args:
        source: Path of the directory.
        without: Paths of directories in it that hold no pictures.
    """

    def __init__(self, source, without=()):
        self._source = source
        self._without = without
        self._index = FileIndex(source, PICTURES)

    def find(self, file_name, split, json_path):
        """Looks for a picture, in any folder.

        Of several of one name, those go first that share more folders with `file_name`, then
        those that lie beside the JSON, then those in a folder named for the split.

        Returns:
            (Path or None, problem or None); neither if there is none.
        """
        found = self._index.find(
            file_name,
            lambda path: not any(folder in path.parents for folder in self._without),
            lambda path: json_path.parent == path.parent,
            lambda path: split_of_folders(path.relative_to(self._source)) == split,
        )
        if len(found) > 1:
            several = ", ".join(map(str, found))
            return None, f"{json_path}: file_name must name one picture: {file_name} is {several}"
        return (found[0] if found else None), None


def picture_name(file_name):
    """Name of an example: the picture's noted path without its suffix.

    >>> picture_name("images/street.01.jpg")
    'images/street.01'
    """
    *folders, name = noted_parts(file_name)
    return "/".join((*folders, name.rpartition(".")[0] or name))


def check_missing(missing, kept, source, skip_missing):
    """Raises DataError for pictures that were not found, and for splits that hold no picture.

    Args:
        missing: file names.
        kept: {split: items}.
        source: where was looked.
        skip_missing: missing pictures are left out.
    """
    if missing and not skip_missing:
        total = len(missing) + sum(map(len, kept.values()))
        raise DataError(
            f"{len(missing)} of {total} pictures were not found in any folder of {source} "
            f"(--skip_missing leaves them out). Received:\n{listing(missing)}"
        )
    for split, items in kept.items():
        if not items:
            raise DataError(f"{source}: {split} must have pictures that exist. Received: none")
