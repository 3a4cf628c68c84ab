"""The discriminator's part at toy widths: the rows, and that both sides do the same."""

import numpy as np
import pytest

from benchmarks import labels
from benchmarks.parts import discriminator


@pytest.mark.slow
def test_rows(options, clock):
    clock(discriminator, {"plain": 3.0, "33 classes": 1.5})
    rows = discriminator.run(options)
    assert [(row["what"], row["figure"]) for row in rows] == [
        ("9 classes", pytest.approx(3.0)),
        ("33 classes", pytest.approx(3.0)),
        ("33 classes beside 9", pytest.approx(1.5)),
    ]


def test_both_sides_have_the_same_gradients(options, eager, monkeypatch):
    from benchmarks import plain
    from oasis_tf.models.discriminator import Discriminator

    mine = Discriminator(9, base_channels=1)
    base = plain.Discriminator(9, base_channels=1)
    for layer in mine._flatten_layers():
        if hasattr(layer, "u"):
            # True singular vectors: three power iterations do to them what one does.
            matrix = layer.kernel.numpy().reshape(-1, layer.kernel.shape[-1])
            left, _, right = np.linalg.svd(matrix, full_matrices=False)
            layer.v.assign(left[:, 0])
            layer.u.assign(right[0])
    plain.copy_weights(mine, base)
    monkeypatch.setattr(discriminator, "Discriminator", lambda *args, **kwargs: mine)
    monkeypatch.setattr(plain, "Discriminator", lambda *args, **kwargs: base)
    recorded = labels.recorded(options.records, 1)
    norms = [
        make(9, recorded, options)()
        for make in (discriminator._plain_side, discriminator._our_side)
    ]
    assert norms[0] > 0
    np.testing.assert_allclose(*norms, rtol=1e-2)
