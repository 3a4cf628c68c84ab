"""Distances between the colours of photographs and of generated pictures."""

from oasis_tf.evaluation.metrics.appearance import AppearanceMetric
from oasis_tf.metrics.histograms import chi_square, earth_movers


class Colour(AppearanceMetric):
    """Histograms of L*, a* and b*."""

    name = "colour"
    distances = {"chi_square": chi_square, "earth_movers": earth_movers}
    about = "histograms of L*, a* and b* (CIELAB, 32 bins each), mean of the three distances"
    heading = "Colour: CIELAB"
    axes = ("L*", "a*", "b*")
