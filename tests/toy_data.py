"""Tiny records for tests of training: written by the builder, as a user's are."""

import json

import numpy as np
from PIL import Image

CLASSES = ["sky", "sea", "sand"]


def write_folder(source, *, images=6, val_images=3, size=(80, 150), seed=0):
    """Draws a `folder` data set: stripes of three classes, some pixels unlabelled (id 3)."""
    rng = np.random.default_rng(seed)
    colours = np.array([[120, 180, 250], [20, 60, 160], [220, 200, 120], [90, 90, 90]])
    for split, count in (("train", images), ("val", val_images)):
        for kind in ("images", "labels"):
            (source / kind / split).mkdir(parents=True)
        for i in range(count):
            rows = np.sort(rng.integers(5, size[0] - 5, 2))
            labels = np.searchsorted(rows, np.arange(size[0]), side="right")
            label_map = np.repeat(labels[:, None], size[1], axis=1).astype(np.uint8)
            label_map[:, : rng.integers(1, 30)] = 3
            picture = colours[label_map] + rng.normal(0, 10, (*size, 3))
            picture = np.clip(picture, 0, 255).astype(np.uint8)
            Image.fromarray(picture).save(source / "images" / split / f"{i}.png")
            Image.fromarray(label_map).save(source / "labels" / split / f"{i}.png")
    names = [*CLASSES, "unlabelled"]
    (source / "class_names.json").write_text(json.dumps(names))
    return source


def build_records(tmp_path, image_size=(64, 128), **options):
    """Writes a folder data set and builds its records; returns their directory."""
    from data_pipeline.build import main

    source = write_folder(tmp_path / "source", **options)
    out = tmp_path / "records"
    arguments = ["--dataset", "folder", "--source", str(source), "--out", str(out)]
    arguments += ["--image_size", *map(str, image_size), "--workers", "1"]
    assert main(arguments) == 0
    return out
