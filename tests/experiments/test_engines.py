import argparse
import json
from pathlib import Path

import numpy as np
import pytest

from experiments import engines

ROOT = Path(__file__).parents[2]


def test_what_is_drawn_is_the_same_in_every_process():
    label_maps, noise = engines.draw_inputs(5, 4, (32, 64))
    for once, again in zip((label_maps, noise), engines.draw_inputs(5, 4, (32, 64)), strict=True):
        np.testing.assert_array_equal(once, again)
    assert label_maps.shape == (engines.MAPS, 1, 32, 64) and label_maps.dtype == np.int32
    assert noise.shape == (engines.MAPS, 1, 1, 4) and noise.dtype == np.float32
    assert all(0 <= label_map.min() < label_map.max() < 5 for label_map in label_maps)


def test_a_row(tmp_path, monkeypatch):
    (tmp_path / "model").write_bytes(bytes(2_500_000))
    label_maps, noise = engines.draw_inputs(5, 4, (32, 64))
    pictures = np.zeros((engines.MAPS, 1, 32, 64, 3), np.float32)
    np.savez(tmp_path / "maps.npz", label_maps=label_maps, noise=noise, pictures=pictures)

    def draw(label_map, noise, noise_map):
        assert label_map.shape == noise_map.shape == (1, 32, 64) and noise.shape == (1, 1, 4)
        drawn = np.zeros((1, 32, 64, 3), np.float32)
        drawn[:, :16] = -0.25
        return drawn

    monkeypatch.setattr(engines, "SECONDS", 0.01)
    monkeypatch.setitem(engines.ROWS, "mine", lambda _: (draw, tmp_path / "model"))
    found = engines._measure(argparse.Namespace(work=tmp_path, step="mine"))
    assert found["megabytes"] == 2.5 and found["largest"] == 0.25 and found["mean"] == 0.125
    assert 0 < found["seconds"] < 1 and found["gigabytes"] > 0.01


def test_the_table():
    row = {"megabytes": 5.7, "gigabytes": 0.78, "largest": 1.2e-5, "mean": 2e-7}
    rows = {
        "TensorFlow": {**row, "megabytes": None, "seconds": [0.61, 0.57]},
        "LiteRT int8": {**row, "seconds": [0.0052]},
    }
    assert engines.table({"rows": rows}).splitlines()[2:] == [
        "| TensorFlow | float32 |  | 0.57 s | 0.78 GB | 1e-05 | 2e-07 |",
        "| LiteRT | int8 | 5.7 MB | 5.2 ms | 0.78 GB | 1e-05 | 2e-07 |",
    ]


def test_the_page_shows_the_results():
    results = json.loads(engines.RESULTS.read_text())
    assert results["model"] == "saved_models/demo" and results["rows"].keys() == engines.ROWS.keys()
    assert engines.table(results) in (ROOT / "docs" / "engines.md").read_text()


def test_one_of_two_models(capsys, tmp_path):
    with pytest.raises(SystemExit):
        engines.main(["--work", str(tmp_path)])
    assert "--model --full_width" in capsys.readouterr().err
