"""The input pipeline's part in short windows."""

import numpy as np

from benchmarks.parts import input_pipeline


def test_rows(options):
    rows = input_pipeline.run(options)
    assert [row["what"] for row in rows] == ["9 classes", "33 classes"]
    for row in rows:
        assert row["figure"] == row["sides"]["ours"][0] > 0
        assert row["target"] == ">= 350"
        assert row["times_faster"] > 0


def test_plain_dataset(options):
    image, labels = next(iter(input_pipeline.plain_dataset(options.records, 9)))
    assert image.shape == (4, 64, 128, 3)
    assert labels.shape == (4, 64, 128, 9)
    assert -1 <= image.numpy().min() and image.numpy().max() <= 1
    np.testing.assert_array_equal(labels.numpy().sum(-1), np.ones((4, 64, 128)))
    # The toy set has four classes.
    assert (labels.numpy()[..., :4].max((0, 1, 2)) == 1).all()
    assert (labels.numpy()[..., 4:] == 0).all()
