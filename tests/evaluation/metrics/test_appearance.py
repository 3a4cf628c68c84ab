"""Histograms by class: every pixel once, and their distances over all and per class."""

import numpy as np
import pytest

from oasis_tf.evaluation.metrics.colour import Colour
from oasis_tf.evaluation.metrics.metric import NotComputable
from oasis_tf.evaluation.metrics.texture import Texture
from tests.evaluation.fakes import a_manifest, a_request


@pytest.mark.parametrize("kind", [Colour, Texture])
def test_every_pixel_is_counted(chunk, kind):
    metric = kind(a_request(), a_manifest())
    per_class = np.bincount(chunk.label_maps.reshape(-1), minlength=4)
    for part in metric.prepare({}):
        assert part.summed
        for histogram in metric.measure(part, chunk).values():
            np.testing.assert_array_equal(histogram.sum(axis=-1), np.tile(per_class, (3, 1)).T)


def chi_square(a, b):
    """The mean over the axes, bin by bin."""
    total = 0
    for row, other in zip(a, b, strict=True):
        for p, q in zip(row / row.sum(), other / other.sum(), strict=True):
            total += (p - q) ** 2 / (p + q) / 2 if p + q else 0
    return total / len(a)


@pytest.mark.parametrize("kind, bins", [(Colour, 32), (Texture, 10)])
def test_distances(rng, kind, bins):
    metric = kind(a_request(), a_manifest())
    sides = rng.integers(1, 50, (2, 4, 3, bins))
    sides[:, 2] = 0  # class b is nowhere
    parts = {
        f"appearance of {name}": [{metric.name: counts}]
        for name, counts in zip(("real", "fake"), sides, strict=True)
    }
    result = metric.result(parts)
    assert result["value"] == pytest.approx(chi_square(*sides.sum(axis=1)))
    per_class = {each["class"]: each["chi_square"] for each in result["per_class"]}
    expected = {
        "a": chi_square(sides[0, 1], sides[1, 1]),
        "c": chi_square(sides[0, 3], sides[1, 3]),
    }
    assert per_class == pytest.approx(expected)
    mean = result["mean_over_classes"]["chi_square"]
    assert mean == pytest.approx(np.mean(list(expected.values())))
    assert ("earth_movers" in result["overall"]) == (kind is Colour)
    assert len(metric.details(result)) == len(result["overall"]) + 1
    (section,) = metric.sections(result, parts)
    assert section.startswith(f"<h2>{metric.heading}") and section.count("<polyline") == 6


def test_no_pictures():
    nothing = [{"colour": np.zeros((4, 3, 32), int)}]
    with pytest.raises(NotComputable, match="there are no pictures"):
        Colour(a_request(), a_manifest()).result(
            {"appearance of real": nothing, "appearance of fake": nothing}
        )
