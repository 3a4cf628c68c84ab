"""MS-SSIM between pictures of one label map."""

import itertools

import numpy as np

from oasis_tf.evaluation.metrics.diversity import DiversityMetric
from oasis_tf.evaluation.metrics.metric import NotComputable, in_short

_SCALES = 5  # of the published numbers
_BATCH = 8  # pairs that are compared together


class MsSsim(DiversityMetric):
    """How alike pictures of one label map are: lower is more diverse."""

    name = "ms_ssim"

    def prepare(self, networks):
        """Needs no network, only pictures that are large enough."""
        self._check_samples()
        if not self._scales():
            raise NotComputable(f"pictures of {self.manifest.image_size} are too small for MS-SSIM")
        return [self._part("ms_ssim", {"measure": "ms_ssim"})]

    def measure(self, part, chunk):
        """`global` and `local`."""
        return self._means(chunk, ms_ssim_of_pairs)

    def result(self, parts):
        """The mean of the pictures resampled globally, with a warning if scales are missing."""
        result = self._summary(parts["ms_ssim"], "lower is more diverse")
        scales = self._scales()
        if scales < _SCALES:
            height, width = self.manifest.image_size
            result["warning"] = (
                f"pictures of {height}x{width} have room for {scales} of the {_SCALES} scales; "
                "not comparable with published numbers"
            )
        return {"value": result["global"], "scales": scales, **result}

    def details(self, result):
        """The local mean, and how many samples."""
        return [f"local {in_short(result['local'])}", f"{result['samples']} samples a label map"]

    def _scales(self):
        from oasis_tf.metrics.ms_ssim import possible_scales

        return possible_scales(*self.manifest.image_size)


def ms_ssim_of_pairs(pictures):
    """MS-SSIM of all pairs of uint8 (n, H, W, 3): float array (n (n - 1) / 2,)."""
    from oasis_tf.metrics.ms_ssim import ms_ssim

    first, second = np.array(list(itertools.combinations(range(len(pictures)), 2))).T
    parts = range(0, len(first), _BATCH)
    return np.concatenate(
        [ms_ssim(pictures[first[i : i + _BATCH]], pictures[second[i : i + _BATCH]]) for i in parts]
    )
