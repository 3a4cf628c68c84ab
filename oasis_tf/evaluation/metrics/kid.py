"""KID: the kernel distance of features."""

from oasis_tf.evaluation.metrics.features import FeatureMetric
from oasis_tf.metrics.kernel_distance import kernel_distance


class KID(FeatureMetric):
    """The unbiased kernel distance over all pairs."""

    name = "kid"

    def _compare(self, real, fake):
        return {
            "value": kernel_distance(real, fake),
            "estimator": f"unbiased, over all pairs; kernel (x y / {real.shape[1]} + 1)^3",
            "real": len(real),
            "generated": len(fake),
        }
