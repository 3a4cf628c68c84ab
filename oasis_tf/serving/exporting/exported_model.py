"""An exported SavedModel as a `Generator` again, to be exported to another format."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from data_pipeline.errors import DataError, first_line
from data_pipeline.labels.legend import Legend
from oasis_tf.config import Config, config_from_json
from oasis_tf.models.build import build_generator
from oasis_tf.sampling.saved_model_backend import INFORMATION
from oasis_tf.serving.exporting.fuse_norms import fuse_norms
from oasis_tf.serving.exporting.plain_generator import plain_weights

_SIGNATURE = "generate"
_TOLERANCE = 1e-4  # in [-1, 1]
_RULE = "an exported SavedModel must have the networks of this version"
_AGAIN = "export the run or the converted checkpoint that it is of"


@dataclass(frozen=True)
class ExportedModel:
    """What a SavedModel says of itself, and the way to its weights: as `RunDir`.

    Attributes:
        path: its numbered directory.
        config: `Config` of the networks.
        legend: `Legend`, the classes.
        scores: dict from names to numbers.
    """

    path: Path
    config: Config
    legend: Legend
    scores: dict[str, float]

    @property
    def title(self):
        """What it is, in a few words."""
        return f"{self.path} (SavedModel)"

    def load_generator(self):
        """A `Generator` that draws the same pictures: its norms do nothing.

        Raises:
            DataError: damaged, exported before there was a signature `generate`, or of other
                networks than this version has.
        """
        try:
            model = tf.saved_model.load(str(self.path))
        except Exception as error:  # a damaged file ends in one of a dozen kinds
            raise self._damaged(error) from error
        if _SIGNATURE not in model.signatures:
            raise DataError(
                f"{self.path} must have the signature {_SIGNATURE}; {_AGAIN}. Received: "
                f"{', '.join(model.signatures)}"
            )
        signature = model.signatures[_SIGNATURE]
        generator = build_generator(self.config, self.legend.num_classes)
        _take_weights(generator, signature)
        label_map, noise, noise_map = map(tf.constant, _sample(generator))
        try:
            right = signature(label_map=label_map, noise=noise, noise_map=noise_map)["image"]
        except Exception as error:  # a damaged graph's as well
            raise self._damaged(error) from error
        difference = np.abs(fuse_norms(generator)(label_map, noise, noise_map) - right).max()
        if not difference <= _TOLERANCE:  # nor is NaN
            raise DataError(
                f"{_RULE}; {_AGAIN}. Received: pictures that differ by {difference:.2g} in [-1, 1]"
            )
        return generator

    def _damaged(self, error):
        reason = first_line(error)
        return DataError(f"{self.path} must be a whole SavedModel. Received: {reason}")


def open_exported(path):
    """Reads what a SavedModel says of itself.

    Args:
        path: its numbered directory.

    Returns:
        `ExportedModel`.

    Raises:
        DataError: `assets.extra/model.json` is missing or malformed.
    """
    file = path / INFORMATION
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        config = config_from_json(content["config"])
        return ExportedModel(path, config, Legend.from_json(content), dict(content["scores"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{file} must describe the model, as python -m oasis_tf.export writes it. "
            f"Received: {error!r}"
        ) from None


def _take_weights(generator, signature):
    """Sets a fresh generator's weights to those of an exported one, whose norms are fused."""
    # Both graphs read their variables in one order, that of `plain_weights`.
    graph = tf.function(lambda: tf.nest.flatten(plain_weights(generator)), autograph=False)
    ours, theirs = map(_variables, (graph.get_concrete_function(), signature))
    if [v.shape for v in ours] != [v.shape for v in theirs]:
        raise DataError(f"{_RULE}; {_AGAIN}. Received: other weights than its configuration says")
    for variable, value in zip(ours, theirs, strict=True):
        variable.assign(tf.cast(value, variable.dtype))
    for block in generator.blocks:
        for number in ("0", "1", "s"):
            conv, spade = getattr(block, f"conv_{number}"), getattr(block, f"norm_{number}")
            if conv is not None:
                _fuse_nothing(conv, spade.norm)


def _variables(function):
    """The variables that a concrete function reads, in the order in which it was made."""
    known = {id(v.handle): v for v in function.graph.variables}
    return [known[id(handle)] for handle in function.captured_inputs if id(handle) in known]


def _fuse_nothing(conv, norm):
    """Makes spectral norm and batch norm, which are in the kernels already, change nothing."""
    variance = norm.running_variance
    variance.assign(tf.ones_like(variance) - norm.epsilon)
    # Sigma is v^T K u: with v = K u, over its square, it is 1.
    u = tf.reshape(conv.u, (-1, 1))
    v = tf.matmul(tf.reshape(conv.kernel, (-1, len(u))), u)
    conv.store(u, v / tf.reduce_sum(tf.square(v)))


def _sample(generator):
    rng = np.random.default_rng(0)
    label_map = rng.integers(0, generator.num_classes, (1, 8, 16), np.int32)
    noise = rng.normal(size=(1, 2, generator.noise_channels)).astype(np.float32)
    noise_map = rng.integers(0, 2, (1, 32, 64), np.int32)
    return label_map.repeat(4, 1).repeat(4, 2), noise, noise_map
