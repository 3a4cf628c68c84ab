"""What mIoU is measured with: any segmentation network, a Keras model, a SavedModel or a preset.

A segmenter is a directory with `segmenter.json`:

    {"model": "model.keras",               a Keras file or a SavedModel's directory beside it
     "class_names": ["sky", null, ...],    for each output channel the name of its class (see
                                           `class_names.py`), or null where the data set has none
     "mean": 127.5, "std": 127.5,          of the bytes 0..255: numbers, or three each
     "features": "bottleneck"}             optional: see `oasis_tf.segmenters.features`

The network maps pictures (B, H, W, 3) to logits (B, h, w, C) or to channel numbers (B, h, w), of
any size, which are resized to the picture's. `python -m oasis_tf.train_segmenter` writes one.
"""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from data_pipeline.errors import DataError, first_line
from data_pipeline.files import read_text, sha256, write_atomically
from data_pipeline.paths import local_path
from oasis_tf.model_path import check_model_path
from oasis_tf.segmenters.class_names import match_names
from oasis_tf.segmenters.label_sets import ADE20K_CLASSES, CITYSCAPES_CLASSES

FILE_NAME = "segmenter.json"
MODEL_NAME = "model.keras"  # of those that are written here
PRESET = "keras_hub:"


class Segmenter:
    """Pictures to class ids of a data set.

    Args:
        network: function from float (1, H, W, 3) to logits or channel numbers.
        names: C names by output channel, None where the data set has no such class.
        mean, std: of the bytes 0..255, numbers or three each.
        about: {"name": ..., "sha256": ...}, for the result; the second is of all that the answers
            depend on.

    Attributes:
        about: as given.
    """

    def __init__(self, network, names, mean, std, about):
        self._network = network
        self.names = tuple(names)
        self._mean, self._std = np.float32(mean), np.float32(std)
        self.about = about

    def table(self, class_names, evaluated=None):
        """Which of our ids each channel means: int32 (C,), 0 for classes that are not evaluated.

        Args:
            class_names: N names of the data set, the first is "unlabelled".
            evaluated: names of the classes that count; None for all.

        Raises:
            DataError: no class in common.
        """
        names = class_names[1:]
        table = np.zeros(len(self.names), np.int32)
        for channel, index in enumerate(match_names(self.names, names)):
            if index is not None and (evaluated is None or names[index] in evaluated):
                table[channel] = index + 1
        if not table.any():
            counting = names if evaluated is None else [n for n in names if n in evaluated]
            raise DataError(
                "a segmenter must have classes in common with the data set. Received: a segmenter "
                f"of {_some(self.names)}; a data set of {_some(counting)}"
            )
        return table

    def __call__(self, pictures, table):
        """Segments pictures one by one: the logits of many classes are large.

        Args:
            pictures: uint8 (B, H, W, 3).
            table: from `table`.

        Returns:
            int32 (B, H, W), ids of the data set.
        """
        return np.stack([table[self._channels(picture)] for picture in pictures])

    def _channels(self, picture):
        floats = (picture.astype(np.float32) - self._mean) / self._std
        answer = tf.convert_to_tensor(self._network(tf.constant(floats[None])))
        size = picture.shape[:2]
        if answer.shape.rank == 4:
            if answer.shape[-1] != len(self.names):
                raise DataError(
                    f"a segmenter must have one output channel for each of its {len(self.names)} "
                    f"class names. Received: {answer.shape[-1]} channels"
                )
            if tuple(answer.shape[1:3]) != size:
                answer = tf.image.resize(answer, size, "bilinear")
            return tf.argmax(answer[0], axis=-1).numpy()
        if answer.shape.rank != 3 or not answer.dtype.is_integer:
            raise DataError(
                "a segmenter must answer with logits (B, h, w, C) or int (B, h, w). "
                f"Received: {answer.dtype.name} {tuple(answer.shape)}"
            )
        if tuple(answer.shape[1:3]) != size:
            answer = tf.image.resize(answer[..., None], size, "nearest")[..., 0]
        channels = answer[0].numpy()
        if not 0 <= channels.min() <= channels.max() < len(self.names):
            raise DataError(
                f"a segmenter's channel numbers must be in [0, {len(self.names)}). "
                f"Received: {channels.min()}..{channels.max()}"
            )
        return channels


def load_segmenter(path):
    """Opens a segmenter.

    Args:
        path: directory with `segmenter.json`, or "keras_hub:PRESET", a SegFormer of keras-hub
            such as keras_hub:segformer_b4_ade20k_512 (needs `pip install keras-hub` and, the
            first time, a connection).

    Returns:
        `Segmenter`.

    Raises:
        DataError: there is none, or its description is not as above.
    """
    if str(path).startswith(PRESET):
        return _load_preset(str(path).removeprefix(PRESET))
    description = read_description(path)
    model = description.model
    network = open_model(model, _saved_model if model.is_dir() else _keras_model)
    about = {"name": str(path), "sha256": description.checksum}
    return Segmenter(network, description.names, description.mean, description.std, about)


class Description(NamedTuple):
    """What `segmenter.json` says.

    Attributes:
        model: Path of the Keras file or of the SavedModel.
        names: C class names or None, by output channel.
        mean, std: float32, () or (3,), of the bytes 0..255.
        features: name of the layer whose means are features, or None.
        checksum: SHA-256 of all that the segmenter's answers depend on: every file of the model,
            names, mean and std. Not of the features' layer.
    """

    model: Path
    names: list
    mean: np.ndarray
    std: np.ndarray
    features: str | None

    @property
    def checksum(self):
        model = self.model
        files = [model] if model.is_file() else sorted(p for p in model.rglob("*") if p.is_file())
        content = {
            "files": {str(file.relative_to(model)): sha256(file) for file in files},
            "class_names": self.names,
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
        }
        return _digest(json.dumps(content, sort_keys=True).encode())


def read_description(path):
    """Reads `segmenter.json` of a directory: a `Description`.

    Raises:
        DataError: there is none, or it is not as above.
    """
    path = local_path(path, "--segmenter")
    try:
        content = json.loads(read_text(path / FILE_NAME))
        names = [name if name is None else str(name) for name in content["class_names"]]
        mean, std = (np.asarray(content[name], np.float32) for name in ("mean", "std"))
        if not names or mean.shape not in ((), (3,)) or std.shape not in ((), (3,)):
            raise ValueError("no class names, or neither one number nor three")
        return Description(path / content["model"], names, mean, std, content.get("features"))
    except FileNotFoundError:
        raise DataError(
            f"a segmenter must be a directory with {FILE_NAME}, as python -m "
            f"oasis_tf.train_segmenter writes one. Received: {path}"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path / FILE_NAME} must describe a segmenter. Received: {error!r}"
        ) from None


def open_model(model, opener):
    """`opener(model)`; a damaged file is a DataError that names it."""
    try:
        return opener(model)
    except Exception as error:  # a damaged file ends in one of a dozen kinds
        raise DataError(
            f"{model} must be a whole Keras model or SavedModel. Received: {first_line(error)}"
        ) from error


def save_segmenter(path, model, class_names, **facts):
    """Writes a Keras model that takes pictures in [-1, 1], and its description last.

    Args:
        path: Path of an existing directory.
        model: the Keras model.
        class_names: by output channel.
        **facts: JSON-able, kept in the description.
    """
    temporary = path / "unfinished.keras"
    model.save(temporary)
    temporary.replace(path / MODEL_NAME)
    content = {
        "model": MODEL_NAME,
        "class_names": list(class_names),
        "mean": 127.5,
        "std": 127.5,
        **facts,
    }
    write_atomically(path / FILE_NAME, json.dumps(content, indent=1) + "\n")


def _keras_model(path):
    from oasis_tf.keras_setup import keras

    return tf.function(keras.models.load_model(path, compile=False), autograph=False)


def _saved_model(path):
    check_model_path(path, "a segmenter")
    model = tf.saved_model.load(str(path))
    _, inputs = model.signatures["serving_default"].structured_input_signature
    (name,) = inputs

    def network(pictures):
        # Through the model, for its signatures do not keep it alive.
        (answer,) = model.signatures["serving_default"](**{name: pictures}).values()
        return answer

    return network


def _load_preset(preset):
    try:
        import keras_hub
    except ImportError:
        raise DataError(
            f"--segmenter {PRESET}{preset} needs the package keras-hub: pip install keras-hub, or "
            'the extra segformer: pip install -e ".[segformer]". '
            "Received: it is not installed"
        ) from None
    kinds = {"ade20k": ADE20K_CLASSES, "cityscapes": CITYSCAPES_CLASSES}
    names = next((names for kind, names in kinds.items() if kind in preset), None)
    if names is None:
        raise DataError(f"a preset must be one for {' or '.join(kinds)}. Received: {preset}")
    try:
        model = keras_hub.models.SegFormerImageSegmenter.from_preset(preset)
    except Exception as error:  # no connection, no such preset, ...
        raise DataError(
            f"the preset {preset} must be on this machine or reachable. "
            f"Received: {first_line(error)}"
        ) from error

    def network(pictures):
        prepared = model.preprocessor.image_converter(pictures)  # resizes and normalises
        return model(prepared)

    # The name of a preset stays when its files are mended.
    settings = [preset, keras_hub.__version__, model.get_config(), model.preprocessor.get_config()]
    digest = _digest(
        json.dumps(settings, sort_keys=True, default=str).encode(),
        *(weight.numpy().tobytes() for weight in model.weights),
    )
    return Segmenter(network, names, 0, 1, {"name": PRESET + preset, "sha256": digest})


def _digest(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _some(names):
    names = [str(name) for name in names]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
