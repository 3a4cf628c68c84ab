"""The training step's part at toy widths, with times that are known."""

import pytest

from benchmarks.parts import train_step


@pytest.mark.slow
def test_rows(options, clock, monkeypatch):
    monkeypatch.setattr(train_step, "in_a_process", lambda function, *args: function(*args))
    made = {}

    def once(make):
        # Building networks takes most of this test, so both widths are given the same ones.
        def side(num_classes, *rest):
            *kind, _, _ = rest
            key = make, *kind
            made[key] = made.get(key) or make(9, *rest)
            return made[key]

        return side

    for name in ("_plain_side", "_our_side"):
        monkeypatch.setattr(train_step, name, once(getattr(train_step, name)))
    clock(
        train_step, {"plain": 2.5, "mixed_bfloat16": 0.5, "33 classes": 1.1, "share_pictures": 0.75}
    )
    rows = train_step.run(options)
    found = [(row["what"], row["figure"], row["target"], row["met"]) for row in rows]
    assert found == [
        ("9 classes, float32", pytest.approx(2.5), ">= 2.2", True),
        ("9 classes, mixed_bfloat16", pytest.approx(5.0), None, None),
        ("33 classes, float32", pytest.approx(2.5), ">= 3", False),
        ("33 classes, mixed_bfloat16", pytest.approx(5.0), None, None),
        ("33 classes beside 9, float32", pytest.approx(1.1), "<= 1.15", True),
        ("9 classes, float32, --share_pictures", pytest.approx(0.75), None, None),
        ("9 classes, float32, --rematerialize", pytest.approx(1.0), None, None),
        ("9 classes, float32, --jit_compile", pytest.approx(1.0), None, None),
        ("9 classes, float32, the patch index in the step", pytest.approx(1.0), None, None),
    ]
    assert [row["floor"]["dtype"] for row in rows[:2]] == ["float32", "bfloat16"]
