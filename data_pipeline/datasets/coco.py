"""COCO instances of anyone's categories: polygons, both kinds of RLE, crowds."""

from data_pipeline.datasets.annotation_index import AnnotationIndex, index_path
from data_pipeline.datasets.coco_json import (
    check_images,
    find_json,
    picture_name,
    read_files,
    with_pictures,
)
from data_pipeline.datasets.dataset import Dataset
from data_pipeline.datasets.lvis import LvisItem, load, raise_broken


def open_coco(source, splits, *, skip_missing=False, skip_broken=False, notes=None):
    """Reads the JSON of each split and finds the pictures, in whatever folder they lie.

    Known places: `annotations/instances_{train,val}*.json`, `{train,valid}/_annotations.coco.json`,
    or one JSON file of any name, which is then train. Annotations are painted in file order,
    later ones over earlier ones, crowds like all others.

    Args:
        source: Path of the directory.
        splits: of ("train", "val"), or None for those that exist.
        skip_missing: leave images out whose picture does not exist.
        skip_broken: leave annotations out that outline nothing.
        notes: Path of a directory to keep the index of the annotations in, for the next process.
            Defaults to none.

    Returns:
        Dataset of `LvisItem`; 0 is unlabelled, the categories follow in the order of their ids.

    Raises:
        DataError: no or several JSON files, a malformed one, annotations without outline, or
            missing pictures. Each lists all that is wrong.
    """
    files = find_json(source, "instances", splits)
    indices, class_names, our_ids = read_files(
        files, lambda split, path: AnnotationIndex(path, index_path(notes, split))
    )
    items, problems, broken = {}, [], []
    for split, index in indices.items():
        path = files[split]
        images, wrong = check_images(index.images, path)
        outlines, wrong_annotations, empty = index.of_images(our_ids)
        problems += wrong + wrong_annotations
        broken += empty
        items[split] = [
            LvisItem(
                picture_name(image["file_name"]),
                image["file_name"],
                path,
                image["height"],
                image["width"],
                outlines[number],
            )
            for number, image in images.items()
        ]
    if not skip_broken:
        problems = problems and problems + broken
        raise_broken([] if problems else broken)
    items, missing = with_pictures(items, source, files, problems, skip_missing)
    return Dataset(class_names, items, load, missing=missing, broken=tuple(broken))
