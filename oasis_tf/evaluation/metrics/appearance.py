"""Histograms of pixels by class, whose distances are the metrics colour and texture."""

import numpy as np

from oasis_tf.evaluation import charts
from oasis_tf.evaluation.metrics.metric import Metric, NotComputable, both_sides, in_short
from oasis_tf.metrics.histograms import (
    COLOUR_BINS,
    TEXTURE_BINS,
    class_histograms,
    colour_bins,
    texture_bins,
)


class AppearanceMetric(Metric):
    """Distances between histograms of photographs and of generated pictures.

    Its part, which its two metrics share, is, of each side: `colour` int64 (N, 3, 32), `texture`
    int64 (N, 3, 10), pixels per class and bin.

    Attributes:
        distances: {name: function from two histograms (3, bins) to a number}; the first is the
            metric's.
        about: what is compared, for the result.
        heading: of its section in the report.
        axes: titles of the three histograms.
    """

    distances: dict
    about: str
    heading: str
    axes: tuple

    def prepare(self, networks):
        """Needs nothing."""
        # With the classes of LVIS a chunk's counts are 1.2 MB, and a split has many chunks.
        return both_sides("appearance", {"measure": "appearance", "version": 1}, summed=True)

    def measure(self, part, chunk):
        """`colour` and `texture`."""
        result = {"colour": 0, "texture": 0}
        pictures = chunk.pictures(of_model=part.of_model)
        for picture, label_map in zip(pictures, chunk.label_maps, strict=True):
            for name, bins, size in (
                ("colour", colour_bins(picture), COLOUR_BINS),
                ("texture", texture_bins(picture), TEXTURE_BINS),
            ):
                result[name] += class_histograms(bins, size, label_map, self.manifest.num_classes)
        return result

    def result(self, parts):
        """Over all pixels, of each class, and the mean over classes."""
        real, fake = self._histograms(parts)
        if not real.sum():
            raise NotComputable("there are no pictures")
        classes = [
            {
                "id": i,
                "class": self.manifest.class_names[i],
                "pixels": int(real[i, 0].sum()),
                **{key: distance(real[i], fake[i]) for key, distance in self.distances.items()},
            }
            for i in range(1, self.manifest.num_classes)
            if real[i].any()
        ]
        overall = {
            key: distance(real.sum(axis=0), fake.sum(axis=0))
            for key, distance in self.distances.items()
        }
        mean = {
            key: float(np.mean([each[key] for each in classes])) if classes else None
            for key in self.distances
        }
        return {
            "value": overall["chi_square"],
            "about": self.about,
            "overall": overall,
            "mean_over_classes": mean,
            "per_class": classes,
        }

    def details(self, result):
        """The mean over classes and, of colours, the earth mover's distance."""
        lines = [
            "chi-square",
            f"mean of classes {in_short(result['mean_over_classes']['chi_square'])}",
        ]
        if "earth_movers" in result["overall"]:
            lines.append(f"earth mover's {in_short(result['overall']['earth_movers'])}")
        return lines

    def sections(self, result, parts):
        """The histograms over all pixels."""
        real, fake = (counts.sum(axis=0).astype(float) for counts in self._histograms(parts))
        return [charts.histograms(self.heading, self.axes, real, fake)]

    def _histograms(self, parts):
        """int64 (N, 3, bins) of the photographs, and of the generated pictures."""
        return (
            sum(part[self.name] for part in parts[f"appearance of {side}"])
            for side in ("real", "fake")
        )
