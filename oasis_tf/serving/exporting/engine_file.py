"""A generator as one file of another engine: written, checked by running it, then published."""

import json
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from data_pipeline.errors import DataError
from data_pipeline.files import publish
from oasis_tf.serving.exporting.compare_engines import EngineDiffers, compare_engines
from oasis_tf.serving.exporting.fuse_norms import fuse_norms
from oasis_tf.serving.exporting.int8_weights import rounded_to_int8
from oasis_tf.serving.exporting.model_card import engine_card, licence
from oasis_tf.serving.exporting.plain_generator import plain_weights

# Of int8, on average over all numbers of the pictures: two and a half of 255.
INT8_TOLERANCE = 0.02


def write_engine_file(generator, info, path, *, weights, engine, write, open_file):
    """Writes a model's file, and its card beside, with .md behind its name.

    Nothing is to be seen until the engine has drawn pictures from the file that are TensorFlow's.

    Args:
        generator: a trained `Generator`; stays as it is.
        info: its `ModelInfo`.
        path: of the file; one that is there is replaced, directories are made.
        weights: "float32", "float16" or "int8": half the size, or a quarter; computed is in float32
            all the same.
        engine: what the card calls it.
        write: function of the `PlainWeights` as arrays, rounded to `weights`; the metadata, a dict
            of str to str; and the path to write to.
        open_file: function of the path to the `draw` of `compare_engines`.

    Returns:
        `Differences`.

    Raises:
        EngineDiffers: the engine draws other pictures, or int8 is too coarse for these weights.
        DataError: weights beyond float16.
        OSError: the directory cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    rounded = _rounded(plain_weights(fuse_norms(generator)), weights)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=path.parent) as directory:
        temporary, card = Path(directory) / path.name, Path(directory) / "card.md"
        write(rounded, _metadata(info, path.stem, weights), temporary)
        image_size = info.config.image_size
        differences = compare_engines(generator, rounded, image_size, open_file(temporary))
        if weights == "int8" and not differences.mean <= INT8_TOLERANCE:
            raise EngineDiffers(
                f"--weights int8 must keep the pictures to {INT8_TOLERANCE} in [-1, 1] on average; "
                "nothing was written, and float16 takes half the size. Received: a difference of "
                f"{differences.mean:.2g}"
            )
        text = engine_card(info, path, engine=engine, weights=weights, differences=differences)
        card.write_text(text, encoding="utf-8")
        publish(card, path.with_name(f"{path.name}.md"))
        publish(temporary, path)
    return differences


def _metadata(info, name, weights):
    """What the file says of itself: each value is JSON."""
    content = {"name": name, **json.loads(info.to_json()), "weights": weights}
    content["licence"] = licence(info)
    return {key: json.dumps(value) for key, value in content.items()}


def _rounded(weights, dtype):
    """Arrays of float32, of numbers that `dtype` has."""

    def round_one(tensor):
        if tensor is None:
            return None
        if dtype == "int8":
            return rounded_to_int8(tensor.numpy())
        with np.errstate(over="ignore"):
            array = tensor.numpy().astype(dtype).astype(np.float32)
        if not np.isfinite(array).all():
            largest = np.abs(tensor.numpy()).max()
            raise DataError(f"weights must be numbers that {dtype} has. Received: {largest:.4g}")
        return array

    return tf.nest.map_structure(round_one, weights)
