"""A few label maps of the sample data set as PNG files, for a trained model to draw."""

import os
import shutil
from pathlib import Path

import numpy as np
from PIL import Image

from data_pipeline.datasets.annotation_index import AnnotationIndex
from data_pipeline.datasets.lvis import find_json, paint, read_items
from data_pipeline.datasets.sample import LEGEND

FOLDER = "label_maps"
COUNT = 6


def write_label_maps(source):
    """Writes `label_maps/scene_1.png`, ..., the validation scenes with the most classes.

    They are palette PNGs: the index is the category id, which is what a model of the sample data
    set takes, and the palette makes them look like the scene.

    Args:
        source: directory of a complete sample without them; they appear all at once.

    Raises:
        OSError: the disk is full or not writable.
    """
    path = find_json(Path(source), "val")
    items, _ = read_items(AnnotationIndex(path), path)
    maps = [paint(item) for item in items]
    # The sort is stable: of equals, the first.
    richest = sorted(maps, key=lambda label_map: -len(np.unique(label_map)))[:COUNT]
    folder = Path(source) / f".{FOLDER}.partial"
    shutil.rmtree(folder, ignore_errors=True)  # left behind by a killed process
    folder.mkdir()
    for number, label_map in enumerate(richest, start=1):
        picture = Image.fromarray(label_map.astype(np.uint8))
        picture.putpalette(np.array(LEGEND.palette, np.uint8).tobytes())  # grey no more
        picture.save(folder / f"scene_{number}.png")
    os.replace(folder, Path(source) / FOLDER)
