"""The experiment at a few steps: its file, its plot, and going on after an interruption."""

import json

import pytest

from experiments.start.__main__ import main
from experiments.start.plot import draw
from tests.toy_data import build_records


@pytest.mark.slow
def test_two_steps_of_both_ways(tmp_path, capsys):
    records = build_records(tmp_path)
    out = tmp_path / "results.json"
    flags = ["--data_dir", records, "--work", tmp_path / "work", "--out", out, "--seeds", "3"]
    flags += ["--steps", "2", "--evaluate_every", "1", "--base_channels", "1", "--batch_size", "2"]
    for _ in range(2):  # the second time nothing is left to train
        assert main([str(f) for f in flags]) == 0
        content = json.loads(out.read_text())
        assert [(run["start"], run["seed"]) for run in content["runs"]] == [
            ("guarded", 3),
            ("released", 3),
        ]
        for run in content["runs"]:
            for name in ("gradient_norm/discriminator", "entered/generator", "loss/labelmix"):
                assert len(run["first_steps"][name]) == 2
            assert set(run["scores"]) == {"1", "2"}
    # Before the first update nothing differs.
    first, second = (run["first_steps"]["loss/discriminator_real"] for run in content["runs"])
    assert first[0] == pytest.approx(second[0], rel=1e-6)
    draw(content, tmp_path / "plot.svg")
    assert (tmp_path / "plot.svg").read_text().rstrip().endswith("</svg>")
