"""Distance between the textures of photographs and of generated pictures."""

from oasis_tf.evaluation.metrics.appearance import AppearanceMetric
from oasis_tf.metrics.histograms import chi_square


class Texture(AppearanceMetric):
    """Histograms of local binary patterns, which have no order: no earth mover's distance."""

    name = "texture"
    distances = {"chi_square": chi_square}
    about = (
        "histograms of local binary patterns of L* at 1, 2 and 4 pixels, mean of the three "
        "distances"
    )
    heading = "Texture: local binary patterns"
    axes = ("1 pixel", "2 pixels", "4 pixels")
