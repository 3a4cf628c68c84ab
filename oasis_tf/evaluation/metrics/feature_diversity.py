"""How different pictures of one label map look to the segmenter, also class by class."""

import numpy as np

from data_pipeline.errors import DataError
from oasis_tf.evaluation.metrics.diversity import DiversityMetric
from oasis_tf.evaluation.metrics.metric import Network, NotComputable, in_short

_ABOUT = (
    "higher is more diverse; 1 - cosine of the segmenter's features, mean over its depths: "
    "compares only with numbers by the same segmenter"
)


class FeatureDiversity(DiversityMetric):
    """Beside `global` and `local`, of each class the distances at its pixels.

    Its part is that of `DiversityMetric` and `class_sums` float64 (N,), `class_pixels` int64 (N,):
    of the pictures resampled globally, distances summed over the pixels of each class, and how many
    these are.
    """

    name = "feature_diversity"
    higher_is_better = True
    needs_segmenter = True
    stand_in = "ms_ssim measures diversity without a network"

    def prepare(self, networks):
        """Loads the segmenter."""
        from oasis_tf.segmenters.distances import SegmenterDistances

        self._check_samples()
        if self.request.segmenter is None:
            raise NotComputable(
                "diversity of features needs --segmenter PATH; python -m oasis_tf.train_segmenter "
                "makes one of the data set's own photographs"
            )
        try:
            self._network = SegmenterDistances(self.request.segmenter)
        except DataError as error:
            raise NotComputable(str(error)) from None
        about = self._network.about
        key = {"measure": self.name, "layer": about["layer"], "sha256": about["sha256"]}
        networks[self.name] = Network(self._network, key, about)
        self.segmenter_sha256 = about["sha256"]
        return [self._part(self.name, key)]

    def measure(self, part, chunk):
        """`global`, `local`, `class_sums` and `class_pixels`."""
        means = self._no_means(chunk)
        size = self.manifest.num_classes
        sums, pixels = np.zeros(size), np.zeros(size, np.int64)
        for i, name, pictures in self._resampled(chunk):
            distances = self._network.pairs(pictures)
            means[name][i] = np.mean(distances)
            if name == "global":
                label_map = chunk.label_maps[i].ravel()
                sums += np.bincount(label_map, distances.ravel(), size)
                pixels += np.bincount(label_map, minlength=size)
        return {**means, "class_sums": sums, "class_pixels": pixels}

    def result(self, parts):
        """The global mean, the local one, and those of the classes."""
        part_list = parts[self.name]
        summary = self._summary(part_list, _ABOUT)
        sums = sum(part["class_sums"] for part in part_list)
        pixels = sum(part["class_pixels"] for part in part_list)
        classes = [
            {"id": i, "class": name, "distance": float(sums[i] / pixels[i])}
            for i, name in enumerate(self.manifest.class_names)
            if i and pixels[i]
        ]
        mean = float(np.mean([x["distance"] for x in classes])) if classes else None
        return {
            "value": summary["global"],
            **summary,
            "mean_over_classes": mean,
            "per_class": classes,
        }

    def details(self, result):
        """The local mean, that over classes, and how many samples."""
        return [
            f"local {in_short(result['local'])}",
            f"mean of classes {in_short(result['mean_over_classes'])}",
            f"{result['samples']} samples a label map",
        ]
