"""A model whose pictures are known, and requests."""

import types
from pathlib import Path

import numpy as np

from oasis_tf.evaluation.protocols import PROTOCOLS
from oasis_tf.evaluation.request import Request

NAMES = ("unlabelled", "a", "b", "c")


class FakeSynthesizer:
    """A picture's red is its seed; an edit's green is the id of the class redrawn."""

    class_names = NAMES

    def synthesize(self, label_map, *, seed, samples=1):
        pictures = np.zeros((samples, *label_map.shape, 3), np.uint8)
        pictures[..., 0] = seed + np.arange(samples)[:, None, None]
        return pictures

    def edit(self, label_map, *, seed, classes, samples):
        pictures = self.synthesize(label_map, seed=seed, samples=samples)
        pictures[..., 1] = NAMES.index(classes[0])
        return types.SimpleNamespace(images=pictures)


def a_request(*metrics, data_dir=Path("nowhere"), **changes):
    """A `Request` of the protocol "generic"."""
    settings = dict(protocol=PROTOCOLS["generic"], split="val", weights_dir=Path("nowhere"))
    return Request(metrics, data_dir=data_dir, **{**settings, **changes})


def a_manifest(image_size=(20, 24), names=NAMES):
    """What metrics ask a manifest for."""
    return types.SimpleNamespace(
        class_names=names, num_classes=len(names), image_size=image_size, splits={"val": None}
    )
