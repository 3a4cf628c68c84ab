"""The table of several experiments, from files made by hand."""

import json

from experiments.start.first_steps import main


def runs(precision, generator, discriminator):
    steps = {
        "gradient_norm/generator": [1.0, 900.0, 2.0],
        "gradient_norm/discriminator": [1.0, 5e6, 2.0],
        "entered/generator": generator,
        "entered/discriminator": discriminator,
    }
    run = {"start": "guarded", "first_steps": steps, "scores": {}}
    return {"settings": {"precision": precision}, "runs": [{**run, "seed": s} for s in (1, 2)]}


def test_ratios_and_norms(tmp_path, capsys):
    for name, content in (
        ("a", runs("float32", [2.0, 8.0, 4.0], [1.0, 1.0, 30.0])),
        ("b", runs("mixed_bfloat16", [1.0, 3.0, 1.0], [5.0, 5.0, 5.0])),
    ):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    out = tmp_path / "table.json"
    files = [f"city={tmp_path / 'a.json'}", f"city={tmp_path / 'b.json'}"]
    assert main([*files, "--out", str(out)]) == 0
    rows = json.loads(out.read_text())
    assert [(r["data"], r["seed"]) for r in rows] == [("city", 1), ("city", 2)] * 2
    assert rows[0]["entered_over_median"] == {"generator": 2.0, "discriminator": 30.0}
    assert rows[0]["largest_norm"] == {"generator": 900.0, "discriminator": 5e6}
    assert "| city | float32 | 5e+06, 5e+06 | 2.0 | 30.0 |" in capsys.readouterr().out
