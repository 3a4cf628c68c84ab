"""LPIPS between pictures of one label map."""

import itertools

import numpy as np

from data_pipeline.files import sha256
from oasis_tf.evaluation.metrics.diversity import DiversityMetric
from oasis_tf.evaluation.metrics.metric import Network, in_short
from oasis_tf.metrics import frozen
from oasis_tf.metrics.frozen import MissingWeights


class LPIPS(DiversityMetric):
    """How different pictures of one label map are, by each backbone whose weights are there."""

    name = "lpips"
    higher_is_better = True
    stand_in = "ms_ssim measures diversity without weights"

    def prepare(self, networks):
        """Loads the backbones; one is enough."""
        self._check_samples()
        self._distances, parts, reasons = {}, [], []
        for net in frozen.LPIPS:
            try:
                network = self._load(net)
            except MissingWeights as reason:
                reasons.append(str(reason))
                continue
            networks[f"lpips {net}"] = network
            parts.append(self._part(f"lpips {net}", network.key))
            self._distances[parts[-1].name] = network.network
        if not parts:
            raise MissingWeights("; ".join(reasons))
        return parts

    def _load(self, net):
        from oasis_tf.metrics.lpips import Lpips

        paths = [
            frozen.find(file, self.request.weights_dir, download=self.request.download)
            for file in frozen.LPIPS[net]
        ]
        distances = lpips_of_pairs(Lpips(net, *paths))
        checksums = {path.name: sha256(path) for path in paths}
        key = {"measure": "lpips", "weights": checksums}
        return Network(distances, key, {"version": "0.1", "sha256": checksums})

    def measure(self, part, chunk):
        """`global` and `local`."""
        return self._means(chunk, self._distances[part.name])

    def result(self, parts):
        """The global mean by the first backbone, and both means by each."""
        nets = {
            net: self._summary(parts[f"lpips {net}"], "higher is more diverse; v0.1")
            for net in frozen.LPIPS
            if f"lpips {net}" in self._distances
        }
        first = next(iter(nets))
        return {"value": nets[first]["global"], "network": first, **nets}

    def details(self, result):
        """Both means of each backbone."""
        return [
            f"{net}: global {in_short(result[net]['global'])}, local "
            f"{in_short(result[net]['local'])}"
            for net in frozen.LPIPS
            if net in result
        ]


def lpips_of_pairs(lpips):
    """The function from uint8 (n, H, W, 3) to LPIPS of all pairs, float array (n (n - 1) / 2,).

    Args:
        lpips: `oasis_tf.metrics.lpips.Lpips`.
    """

    def distances(pictures):
        # Through the network one by one, for VGG's first layers are large.
        features = [lpips.features(pictures[i : i + 1]) for i in range(len(pictures))]
        return np.array([lpips.between(a, b)[0] for a, b in itertools.combinations(features, 2)])

    return distances
