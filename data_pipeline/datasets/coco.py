"""COCO instances of anyone's categories: polygons, both kinds of RLE, crowds."""

from data_pipeline.datasets import masks
from data_pipeline.datasets.coco_json import (
    check_images,
    find_json,
    picture_name,
    read_files,
    with_pictures,
)
from data_pipeline.datasets.dataset import Dataset
from data_pipeline.datasets.lvis import LvisItem, load, raise_broken


def open_coco(source, splits, *, skip_missing=False, skip_broken=False):
    """Reads the JSON of each split and finds the pictures, in whatever folder they lie.

    Known places: `annotations/instances_{train,val}*.json`, `{train,valid}/_annotations.coco.json`,
    or one JSON file of any name, which is then train. Annotations are painted in file order,
    later ones over earlier ones, crowds like all others.

    Args:
        source: Path of the directory.
        splits: of ("train", "val"), or None for those that exist.
        skip_missing: leave images out whose picture does not exist.
        skip_broken: leave annotations out that outline nothing.

    Returns:
        Dataset of `LvisItem`; 0 is unlabelled, the categories follow in the order of their ids.

    Raises:
        DataError: no or several JSON files, a malformed one, annotations without outline, or
            missing pictures. Each lists all that is wrong.
    """
    files = find_json(source, "instances", splits)
    contents, class_names, our_ids = read_files(files)
    items, problems, broken = {}, [], []
    for split, content in contents.items():
        path = files[split]
        images, wrong = check_images(content, path)
        by_image, wrong_annotations, empty = _by_image(content, images, our_ids, path)
        problems += wrong + wrong_annotations
        broken += empty
        items[split] = [
            LvisItem(
                picture_name(image["file_name"]),
                image["file_name"],
                path,
                image["height"],
                image["width"],
                tuple(by_image[number]),
            )
            for number, image in images.items()
        ]
    if not skip_broken:
        problems = problems and problems + broken
        raise_broken([] if problems else broken)
    items, missing = with_pictures(items, source, files, problems, skip_missing)
    return Dataset(class_names, items, load, missing=missing, broken=tuple(broken))


def _by_image(content, images, our_ids, path):
    """({image id: its annotations, with our ids}, problems, annotations that outline nothing)."""
    # Of an image that is itself wrong, which is told already, its annotations are not told too.
    known = {image.get("id") for image in content["images"]}
    by_image, problems, broken = {number: [] for number in images}, [], []
    for annotation in content["annotations"]:
        number, category = annotation.get("image_id"), annotation.get("category_id")
        which = f"{path}: annotation {annotation.get('id')} (image {number})"
        if type(number) not in (int, str) or number not in known:
            problems.append(f"{which} must name a known image_id: {number!r}")
        elif type(category) is not int or category not in our_ids:
            problems.append(f"{which} must name a known category_id: {category!r}")
        elif empty := masks.emptiness(annotation.get("segmentation")):
            broken.append(
                f"{which} must have an outline in 'segmentation', not only a box: {empty}"
            )
        elif number in by_image:
            by_image[number].append(
                {
                    "id": annotation.get("id"),
                    "segmentation": annotation["segmentation"],
                    "category_id": our_ids[category],
                }
            )
    return by_image, problems, broken
