"""The metrics there are, by the names of `--metrics`, without TensorFlow."""

from oasis_tf.evaluation.metrics.colour import Colour
from oasis_tf.evaluation.metrics.feature_diversity import FeatureDiversity
from oasis_tf.evaluation.metrics.fid import FID
from oasis_tf.evaluation.metrics.kid import KID
from oasis_tf.evaluation.metrics.lpips import LPIPS
from oasis_tf.evaluation.metrics.miou import MIoU
from oasis_tf.evaluation.metrics.ms_ssim import MsSsim
from oasis_tf.evaluation.metrics.texture import Texture

# In the order of the default of `--metrics`.
METRICS = {
    metric.name: metric
    for metric in (FID, KID, MIoU, MsSsim, LPIPS, FeatureDiversity, Colour, Texture)
}
