"""Whose features FID and KID compare, and what the two have in common."""

import abc

import numpy as np

from data_pipeline.errors import DataError
from data_pipeline.files import sha256
from oasis_tf.evaluation.metrics.metric import Metric, Network, NotComputable, both_sides
from oasis_tf.metrics import frozen

_BATCH = 8  # pictures that go through the network together
_ONLY_SAME_SEGMENTER = (
    "of the segmenter's features: compares only with numbers by the same segmenter (the same "
    "SHA-256), never with those of Inception"
)


class FeatureMetric(Metric):
    """A distance between the features of photographs and of generated pictures.

    Its part is `features` float32 (n, C), of each side.
    """

    stand_in = (
        "--features segmenter compares the features of a network that python -m "
        "oasis_tf.train_segmenter trains on the data set's own photographs"
    )

    @property
    def result_name(self):
        """An FID of other features must not pass for the FID."""
        features = self.request.features
        return self.name if features == "inception" else f"{self.name}_by_{features}"

    def prepare(self, networks):
        """Loads the network, unless another metric has."""
        role = "inception" if self.request.features == "inception" else "features"
        if role not in networks:
            networks[role] = FEATURES[self.request.features](self.request)
        self._network = networks[role]
        if role == "features":
            self.segmenter_sha256 = self._network.about["sha256"]
        return both_sides("features", {**self._network.key, "version": 1})

    def measure(self, part, chunk):
        """`features` float32 (n, C)."""
        pictures = chunk.pictures(of_model=part.of_model)
        batches = [pictures[i : i + _BATCH] for i in range(0, len(pictures), _BATCH)]
        return {"features": np.concatenate([self._network.network(batch) for batch in batches])}

    def result(self, parts):
        """The distance and, of other features than Inception's, the network."""
        sides = [
            np.concatenate([part["features"] for part in parts[f"features of {side}"]])
            for side in ("real", "fake")
        ]
        if len(sides[0]) < 2:
            raise NotComputable(f"two pictures or more are needed, there is {len(sides[0])}")
        if not all(np.isfinite(side).all() for side in sides):
            raise NotComputable("the features are not finite")
        result = self._compare(*sides)
        if self.request.features != "inception":
            result["network"] = self._network.about
            result["about"] = _ONLY_SAME_SEGMENTER
        return result

    @abc.abstractmethod
    def _compare(self, real, fake):
        """The result for features (n, C) of two pictures or more."""

    def details(self, result):
        """How many pictures."""
        return [f"{result['real']} photographs, {result['generated']} generated"]

    def notes(self, result):
        """Which network it was."""
        lines = []
        if "network" in result:
            network = result["network"]
            lines.append(
                f"{network['name']}, layer {network['layer']}, SHA-256 {network['sha256'][:16]}…"
            )
            lines.append(result["about"])
        return lines + super().notes(result)


def _inception(request):
    from oasis_tf.metrics.inception import InceptionFeatures

    path = frozen.find(frozen.INCEPTION, request.weights_dir, download=request.download)
    about = {
        "name": frozen.INCEPTION.name,
        "sha256": sha256(path),
        "resize": "tf.image bilinear to 299x299, half-pixel centres, no antialiasing",
    }
    key = {"measure": "inception", "weights": about["sha256"]}
    return Network(InceptionFeatures(path), key, about)


def _segmenter(request):
    from oasis_tf.segmenters.features import SegmenterFeatures

    if request.segmenter is None:
        raise NotComputable(
            "features of a segmenter need --segmenter PATH; python -m oasis_tf.train_segmenter "
            "makes one of the data set's own photographs"
        )
    try:
        network = SegmenterFeatures(request.segmenter)
    except DataError as error:
        raise NotComputable(str(error)) from None
    about = network.about
    key = {"measure": "segmenter features", "layer": about["layer"], "sha256": about["sha256"]}
    return Network(network, key, about)


# By the names of `--features`; each loads a `Network` from uint8 (B, H, W, 3) to float32 (B, C).
FEATURES = {"inception": _inception, "segmenter": _segmenter}
