"""How different pictures of one label map are, which MS-SSIM and LPIPS have in common."""

import numpy as np

from oasis_tf.evaluation.metrics.metric import Metric, NotComputable, Part

_RESAMPLED = (
    "mean over all pairs of samples of a label map, then over label maps; global: one new noise "
    "vector for the picture; local: only in the largest labelled class"
)


class DiversityMetric(Metric):
    """Mean over the pairs of samples of each label map, resampled globally and locally.

    Its part is `global`, `local` float64 (n,); NaN where nothing is labelled, so that nothing can
    be redrawn locally, and beyond the first `--diversity_maps` pictures of the split.
    """

    during_training = False

    def _check_samples(self):
        if self.request.samples < 2:
            raise NotComputable(
                f"diversity takes 2 samples or more, --samples is {self.request.samples}"
            )

    def _part(self, name, key):
        samples, maps = self.request.samples, self.request.diversity_maps
        return Part(name, {**key, "version": 1, "samples": samples, "maps": maps}, of_model=True)

    def _resampled(self, chunk):
        """Yields (number of a label map, "global" or "local", uint8 (samples, H, W, 3))."""
        wanted = len(chunk.names)
        if self.request.diversity_maps is not None:
            wanted = min(wanted, max(0, self.request.diversity_maps - chunk.first))
        ways = {"global": chunk.sampler.resample, "local": chunk.sampler.resample_locally}
        for i in range(wanted):
            for name, resample in ways.items():
                pictures = resample(chunk.label_maps[i], chunk.first + i, self.request.samples)
                if pictures is not None:
                    yield i, name, pictures

    def _no_means(self, chunk):
        return {name: np.full(len(chunk.names), np.nan) for name in ("global", "local")}

    def _means(self, chunk, distances):
        """`global` and `local` by a function from uint8 (samples, H, W, 3) to numbers of pairs."""
        means = self._no_means(chunk)
        for i, name, pictures in self._resampled(chunk):
            means[name][i] = np.mean(distances(pictures))
        return means

    def _summary(self, part_list, about):
        """JSON-able dict of the means over label maps, "global" and "local"."""
        result = {"about": f"{about}; {_RESAMPLED}", "samples": self.request.samples}
        for name in ("global", "local"):
            values = np.concatenate([part[name] for part in part_list])
            values = values[~np.isnan(values)]
            result[name] = float(values.mean()) if len(values) else None
            result[f"{name}_label_maps"] = len(values)
        if result["global"] is None:
            raise NotComputable("there is no label map to resample")
        return result
