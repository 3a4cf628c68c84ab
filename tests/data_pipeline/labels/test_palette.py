import numpy as np

from data_pipeline.labels.palette import default_palette


def test_colours_are_distinct_and_always_the_same():
    palette = default_palette(1231)
    assert palette.shape == (1231, 3) and palette.dtype == np.uint8
    assert len(np.unique(palette, axis=0)) == 1231
    assert palette[0].tolist() == [40, 40, 40]
    np.testing.assert_array_equal(default_palette(7), palette[:7])
