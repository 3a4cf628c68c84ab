import argparse
import json

import numpy as np
import pytest

from experiments import engines


def test_what_is_drawn_is_the_same_in_every_process():
    first, again = (list(engines._draw_inputs(5, 4, (32, 64))) for _ in range(2))
    assert len(first) == engines.MAPS
    for given, repeated in zip(first, again, strict=True):
        for one, other in zip(given, repeated, strict=True):
            np.testing.assert_array_equal(one, other)
        label_map, noise, noise_map = given
        assert label_map.shape == noise_map.shape == (1, 32, 64) and noise.shape == (1, 1, 4)
        assert label_map.dtype == noise_map.dtype == np.int32
        assert 0 <= label_map.min() < label_map.max() < 5


def test_a_row(tmp_path, monkeypatch):
    about = {"size": [32, 64], "classes": 5, "channels": 4}
    (tmp_path / "about.json").write_text(json.dumps(about))
    (tmp_path / "model").write_bytes(bytes(2_500_000))
    np.save(tmp_path / "pictures.npy", np.zeros((engines.MAPS, 1, 32, 64, 3), np.float32))

    def draw(label_map, noise, noise_map):
        return np.full((1, 32, 64, 3), -0.25, np.float32)

    monkeypatch.setitem(engines.ROWS, "mine", lambda _: (draw, tmp_path / "model"))
    found = engines._measure(argparse.Namespace(work=tmp_path, step="mine"))
    assert found["file"] == "2.5 MB" and found["difference"] == 0.25
    assert 0 < found["seconds"] < 1 and found["gigabytes"] > 0.01


def test_one_of_two_models(capsys, tmp_path):
    with pytest.raises(SystemExit):
        engines.main(["--work", str(tmp_path)])
    assert "--model --full_width" in capsys.readouterr().err
