"""Draws with an exported SavedModel, through its signatures."""

import io
import json
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from data_pipeline.errors import DataError, first_line
from data_pipeline.labels.legend import Legend
from data_pipeline.labels.model_png import encode_for_model
from oasis_tf.images import to_uint8
from oasis_tf.sampling.spread import Spread

INFORMATION = Path("assets.extra") / "model.json"


class SavedModelBackend:
    """As `GeneratorBackend`, with what a SavedModel offers: one noise vector per picture or region.

    Args:
        directory: Path that holds `saved_model.pb` and `assets.extra/model.json`.

    Attributes:
        content: dict, what `assets.extra/model.json` holds.
        legend: `Legend`, the classes.
        image_size: (height, width) of training.

    Raises:
        DataError: not a SavedModel of ours.
    """

    def __init__(self, directory):
        self._directory = directory
        path = directory / INFORMATION
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            self.content, self.legend = content, Legend.from_json(content)
            height, width = content["image_size"]
            self.image_size = int(height), int(width)
            self._multiple = int(content["size_multiple"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"{path} must describe the model, as python -m oasis_tf.export writes it. "
                f"Received: {error!r}"
            ) from None
        try:
            self._model = tf.saved_model.load(str(directory))  # the signatures do not keep it alive
        except Exception as error:  # a damaged file ends in one of a dozen kinds
            raise DataError(
                f"{directory} must be a whole SavedModel. Received: {first_line(error)}"
            ) from error
        self._draw = self._signature(directory, "serving_default")
        self._edit = self._signature(directory, "edit_png")

    @property
    def generator(self):
        """Not offered: raises DataError."""
        raise DataError(
            "an exported SavedModel holds graphs and no Keras model; load the training run or the "
            f"converted checkpoint it was exported from. Received: {self._directory}"
        )

    def run_size(self, size):
        """The size the model was exported for or, if it takes any, the nearest possible one."""
        _, inputs = self._draw.structured_input_signature
        _, *fixed = inputs["label_map"].shape
        multiple = self._multiple
        nearest = (max(multiple, (n + multiple // 2) // multiple * multiple) for n in size)
        return tuple(f or n for f, n in zip(fixed, nearest, strict=True))

    def generate(self, label_map, seeds, spread):
        """Yields the picture of each seed."""
        self._check(spread)
        for seed in seeds:
            picture = self._draw(
                label_map=tf.constant(label_map[None], tf.int32), seed=tf.constant([seed], tf.int32)
            )["image"]
            yield to_uint8(picture[0])

    def edit(self, label_map, edited, inside, seed, edit_seeds, spread):
        """Yields, for each of `edit_seeds`, the picture of `seed` with a region redrawn."""
        self._check(spread)
        mask = io.BytesIO()
        Image.fromarray(inside.astype(np.uint8) * 255).save(mask, "PNG")
        for edit_seed in edit_seeds:
            # The original's noise does not depend on its labels, so the edited ones serve it too.
            answer = self._edit(
                label_map_bytes=tf.constant([encode_for_model(edited, self.content)]),
                mask_bytes=tf.constant([mask.getvalue()]),
                seed=tf.constant([seed], tf.int32),
                edit_seed=tf.constant([edit_seed], tf.int32),
            )["image_bytes"]
            with Image.open(io.BytesIO(answer.numpy()[0])) as image:
                yield np.asarray(image.convert("RGB"))

    def interpolate(self, *_):
        """Not offered: raises DataError."""
        raise DataError(
            "an exported SavedModel draws from seeds, not from what lies between them; "
            "interpolate with the training run or the converted checkpoint it was exported from"
        )

    def _signature(self, directory, name):
        try:
            return self._model.signatures[name]
        except KeyError:
            raise DataError(
                f"{directory} must have the signature {name}. "
                f"Received: {', '.join(self._model.signatures)}"
            ) from None

    def _check(self, spread):
        if spread is not Spread.PICTURE:
            raise DataError(
                f"an exported SavedModel has one noise vector per picture, not per {spread.value}; "
                "use the training run or the converted checkpoint it was exported from"
            )
