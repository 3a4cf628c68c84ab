"""Tiny source directories in the layouts of the data sets. Never square: 40x60 pixels."""

import json

import numpy as np
from PIL import Image

from data_pipeline.sample import draw_sample

HEIGHT, WIDTH = 40, 60


def picture(path, seed=0, size=(HEIGHT, WIDTH)):
    """Draws a smooth random RGB picture."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(small).resize(size[::-1], Image.Resampling.BICUBIC).save(path)


def save_ids(path, ids, dtype=np.uint8):
    """Saves a label map of ids as a greyscale PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(ids).astype(dtype)).save(path)


def blocks(*ids, size=(HEIGHT, WIDTH)):
    """A label map of vertical stripes, one for each id."""
    columns = np.arange(size[1]) * len(ids) // size[1]
    return np.broadcast_to(np.array(ids)[columns], size).astype(np.int32)


def write_folder(root, train=3, val=2, names=("sky", "road", "tree")):
    """A folder data set whose label maps hold ids 0, 1, 2."""
    for split, count in (("train", train), ("val", val)):
        for i in range(count):
            picture(root / "images" / split / f"{split}_{i:02d}.jpg", i)
            save_ids(root / "labels" / split / f"{split}_{i:02d}.png", blocks(0, 1, 2))
    (root / "class_names.json").write_text(json.dumps(list(names)))
    return root


def write_ade20k(root, count=2):
    for split in ("training", "validation"):
        for i in range(count):
            picture(root / "images" / split / f"ADE_{i}.jpg", i)
            save_ids(root / "annotations" / split / f"ADE_{i}.png", blocks(0, 1, 150))
    return root


def write_coco_stuff(root, count=2, images="{}_img", labels="{}_label"):
    for split in ("train", "val"):
        for i in range(count):
            picture(root / images.format(split) / f"{i:012d}.jpg", i)
            save_ids(root / labels.format(split) / f"{i:012d}.png", blocks(0, 181, 255))
    return root


def write_cityscapes(root, count=2):
    for split in ("train", "val"):
        for i in range(count):
            name = f"aachen/aachen_{i:06d}_000019"
            picture(root / "leftImg8bit" / split / f"{name}_leftImg8bit.png", i)
            label = root / "gtFine" / split / f"{name}_gtFine_labelIds.png"
            save_ids(label, blocks(0, 33, 255))
            save_ids(label.with_name(label.name.replace("labelIds", "instanceIds")), blocks(1))
    return root


def lvis_content(images=2, split="train"):
    """Every image but the last has two overlapping boxes. Ids start at 1, in val at 101."""
    first = 1 if split == "train" else 101
    annotations = []
    for i in range(first, first + images - 1):
        for category, box in ((3, (0, 0, 30, 20)), (5, (20, 10, 50, 30))):
            x0, y0, x1, y1 = box
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": i,
                    "category_id": category,
                    "segmentation": [[x0, y0, x1, y0, x1, y1, x0, y1]],
                }
            )
    return {
        "images": [
            {
                "id": i,
                "height": HEIGHT,
                "width": WIDTH,
                "coco_url": f"http://images.cocodataset.org/{split}2017/{i:012d}.jpg",
            }
            for i in range(first, first + images)
        ],
        "annotations": annotations,
        "categories": [{"id": 3, "name": "apple"}, {"id": 5, "name": "pear"}],
    }


def write_lvis(root, images=2):
    (root / "annotations").mkdir(parents=True, exist_ok=True)
    for split in ("train", "val"):
        content = lvis_content(images, split)
        (root / "annotations" / f"lvis_v1_{split}.json").write_text(json.dumps(content))
        for image in content["images"]:
            picture(root / f"{split}2017" / f"{image['id']:012d}.jpg", image["id"])
    return root


def write_sample(root):
    draw_sample(root, 2, 2, (HEIGHT, WIDTH))
    return root


WRITERS = {
    "lvis": write_lvis,
    "ade20k": write_ade20k,
    "coco_stuff": write_coco_stuff,
    "cityscapes": write_cityscapes,
    "folder": write_folder,
    "sample": write_sample,
}
