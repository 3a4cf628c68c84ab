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


def write_voc(root, count=2):
    """Masks as exported by CVAT: RGB in the colours of labelmap.txt, unlabelled is black."""
    colours = np.array([(0, 0, 0), (10, 20, 30), (250, 250, 0)], np.uint8)
    for split in ("train", "val"):
        for i in range(count):
            picture(root / "JPEGImages" / f"{split}_{i}.jpg", i)
            mask = root / "SegmentationClass" / f"{split}_{i}.png"
            mask.parent.mkdir(exist_ok=True)
            Image.fromarray(colours[blocks(0, 1, 2)]).save(mask)
        names = root / "ImageSets/Segmentation" / f"{split}.txt"
        names.parent.mkdir(parents=True, exist_ok=True)
        names.write_text("".join(f"{split}_{i}\n" for i in range(count)))
    lines = (
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\nsky:10,20,30::\nroad:250,250,0::\n"
    )
    (root / "labelmap.txt").write_text(lines)
    return root


def coco_content(split="train", count=2):
    """Every image has a box of category 9 and, over it, one of category 4. Names have folders."""
    return {
        "images": [
            {"id": i, "height": HEIGHT, "width": WIDTH, "file_name": f"{split}/{i}.jpg"}
            for i in range(count)
        ],
        "annotations": [
            {
                "id": 2 * i + place,
                "image_id": i,
                "category_id": category,
                "segmentation": [[x, 0, x + 30, 0, x + 30, 20, x, 20]],
            }
            for i in range(count)
            for place, (category, x) in enumerate(((9, 0), (4, 20)))
        ],
        "categories": [{"id": 9, "name": "car"}, {"id": 4, "name": "sky"}],
    }


def write_coco(root, count=2):
    (root / "annotations").mkdir(parents=True)
    for split in ("train", "val"):
        content = coco_content(split, count)
        (root / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))
        for image in content["images"]:
            picture(root / "images" / image["file_name"], image["id"])
    return root


def write_coco_panoptic(root, count=2):
    """Segment 300 is category 9, segment 70000 is category 4, and a third is of no segment."""
    segments = blocks(0, 300, 70000)
    colours = np.stack([segments & 255, segments >> 8 & 255, segments >> 16], -1).astype(np.uint8)
    for split in ("train", "val"):
        folder = root / "annotations" / f"panoptic_{split}"
        folder.mkdir(parents=True)
        content = coco_content(split, count)
        listed = [{"id": 300, "category_id": 9}, {"id": 70000, "category_id": 4}]
        content["annotations"] = []
        for image in content["images"]:
            name = f"{image['id']}.png"
            Image.fromarray(colours).save(folder / name)
            picture(root / "images" / image["file_name"], image["id"])
            content["annotations"].append(
                {"image_id": image["id"], "file_name": name, "segments_info": listed}
            )
        folder.with_suffix(".json").write_text(json.dumps(content))
    return root


def labelme_content(name, shapes):
    """A JSON of labelme around some (label, shape_type, points)."""
    return {
        "version": "7.9.1",
        "flags": {},
        "shapes": [
            {"label": label, "points": points, "group_id": None, "shape_type": kind, "mask": None}
            for label, kind, points in shapes
        ],
        "imagePath": name,
        "imageData": None,
        "imageHeight": HEIGHT,
        "imageWidth": WIDTH,
    }


def write_labelme(root, count=2):
    shapes = [("sky", "rectangle", [[0, 0], [29, 19]]), ("road", "rectangle", [[20, 10], [49, 29]])]
    for split in ("train", "val"):
        for i in range(count):
            picture(root / split / f"{i}.jpg", i)
            content = labelme_content(f"{i}.jpg", shapes)
            (root / split / f"{i}.json").write_text(json.dumps(content))
    return root


def write_mapillary(root, count=2):
    labels = [
        {"name": "object--bird", "readable": "Bird", "color": [165, 42, 42]},
        {"name": "flat--road", "readable": "Road", "color": [128, 64, 128]},
        {"name": "void--unlabeled", "readable": "Unlabeled", "color": [0, 0, 0]},
    ]
    for split in ("training", "validation"):
        for i in range(count):
            picture(root / split / "images" / f"{i}.jpg", i)
            label = Image.fromarray(blocks(0, 1, 2).astype(np.uint8)).convert("P")
            label.putpalette([channel for entry in labels for channel in entry["color"]])
            path = root / split / "labels" / f"{i}.png"
            path.parent.mkdir(exist_ok=True)
            label.save(path)
    (root / "config.json").write_text(json.dumps({"labels": labels}))
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
    "voc": write_voc,
    "coco": write_coco,
    "coco_panoptic": write_coco_panoptic,
    "labelme": write_labelme,
    "mapillary": write_mapillary,
    "sample": write_sample,
}
