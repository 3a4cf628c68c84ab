"""A source directory like LVIS v1's training split, of any share of its size, drawn from a seed."""

import json
import os
from pathlib import Path

import numpy as np
from PIL import Image

from data_pipeline.sample_set.scenes import draw_scene

# Of LVIS v1's training split: https://www.lvisdataset.org
PICTURES, ANNOTATIONS, CATEGORIES = 100_170, 1_270_141, 1203
SIZE = 480, 640
_DISTINCT_PICTURES, _DISTINCT_OUTLINES = 100, 5000
_GRAIN = 9.0  # so that records are as large as those of photographs


def draw_source(out, scale, seed=0):
    """Draws `train2017/` and `annotations/lvis_v1_train.json`.

    The pictures are links to a hundred files, so that a hundred thousand take 20 MB of disk. The
    outlines have as many points as LVIS's, so that the JSON is as large.

    Args:
        out: directory; nothing is done where it is complete already.
        scale: share of LVIS's pictures and annotations, in (0, 1].
        seed: int.
    """
    path = Path(out) / "annotations" / "lvis_v1_train.json"
    if path.exists():
        return
    rng = np.random.default_rng(seed)
    pictures = round(PICTURES * scale)
    _draw_pictures(rng, Path(out), pictures)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(f"{path}.tmp")
    with open(temporary, "w", encoding="utf-8") as file:
        _write_json(rng, file, pictures, round(ANNOTATIONS * scale))
    os.replace(temporary, path)


def _draw_pictures(rng, out, count):
    """A drawn picture may be hard-linked some ten thousand times, which is what ext4 allows."""
    for folder in ("drawn", "train2017"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    drawn = [out / "drawn" / f"{i}.jpg" for i in range(min(count, _DISTINCT_PICTURES))]
    for path in drawn:
        scene = draw_scene(rng, SIZE)[0]
        grain = rng.normal(0, _GRAIN, (*SIZE, 3))
        pixels = np.clip(np.asarray(scene) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(path, quality=90)
    for i in range(count):
        path = out / "train2017" / _file_name(i)
        if not path.exists():
            os.link(drawn[i % len(drawn)], path)


def _write_json(rng, file, pictures, annotations):
    """In the order of LVIS's own keys: annotations come first."""
    outlines = [json.dumps(_outline(rng)) for _ in range(_DISTINCT_OUTLINES)]
    image = rng.integers(1, pictures + 1, annotations)
    category = 1 + (3 * rng.pareto(1.1, annotations)).astype(int) % CATEGORIES
    which = rng.integers(0, len(outlines), annotations)
    file.write('{"info": {"year": 2020}, "annotations": [')
    for i in range(annotations):
        file.write(
            f'{", " if i else ""}{{"bbox": [10.5, 20.25, 33.0, 44.0], "category_id": '
            f'{category[i]}, "image_id": {image[i]}, "id": {i + 1}, "segmentation": '
            f'{outlines[which[i]]}, "area": 1234.56}}'
        )
    for key, entries in (
        ("images", map(_image, range(pictures))),
        ("categories", ({"id": i, "name": f"class {i}"} for i in range(1, CATEGORIES + 1))),
    ):
        file.write(f'], "{key}": [')
        for i, entry in enumerate(entries):
            file.write(f"{', ' if i else ''}{json.dumps(entry)}")
    file.write("]}")


def _outline(rng):
    """One or two star-shaped polygons of LVIS's usual number of points."""
    polygons = []
    for _ in range(1 + (rng.random() < 0.12)):
        points = int(np.clip(rng.lognormal(3.6, 0.9), 4, 600))
        angle = np.sort(rng.uniform(0, 2 * np.pi, points))
        radius = rng.lognormal(3, 0.8) * rng.uniform(0.7, 1.3, points)
        centre = rng.uniform(60, 420, 2)[:, None]
        across = centre + radius * np.array([np.cos(angle), np.sin(angle)])
        polygons.append(np.clip(across, 0, SIZE[0] - 1).T.ravel().round(2).tolist())
    return polygons


def _image(number):
    return {
        "date_captured": "2013-11-14 16:28:13",
        "neg_category_ids": [1, 2, 3],
        "id": number + 1,
        "license": 4,
        "height": SIZE[0],
        "width": SIZE[1],
        "flickr_url": "http://example.com/picture.jpg",
        "coco_url": f"http://images.cocodataset.org/train2017/{_file_name(number)}",
        "not_exhaustive_category_ids": [],
    }


def _file_name(number):
    return f"{number + 1:012d}.jpg"
