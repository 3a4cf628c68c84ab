"""Figures by hand, and what a reader sees of them."""

import pytest

from benchmarks.rows import FASTER, ratio, row, table

SECONDS = {("plain", "x"): [4.0, 1.0, 3.0], ("ours", "x"): [1.0, 100.0, 1.5]}
SIDES = {"plain": ("plain", "x"), "ours": ("ours", "x")}


def test_ratio_of_medians():
    found = ratio("step", SECONDS, SIDES, FASTER, at_least=2, floor={"seconds": 0.25})
    # Medians 3 and 1.5.
    assert found["figure"] == 2.0
    assert found["sides"] == {"plain": [3.0, "s"], "ours": [1.5, "s"]}
    assert found["target"] == ">= 2"
    assert found["met"] is True
    assert found["samples"]["ours"] == [1.0, 100.0, 1.5]


@pytest.mark.parametrize(
    "figure, bounds, target, met",
    [
        (2.1, dict(at_least=2.2), ">= 2.2", False),
        (1.1, dict(at_most=1.15), "<= 1.15", True),
        (1.2, dict(at_most=1.15), "<= 1.15", False),
        (1.2, {}, None, None),
    ],
)
def test_targets(figure, bounds, target, met):
    found = row("step", figure, FASTER, {}, **bounds)
    assert (found["target"], found["met"]) == (target, met)


def test_tables():
    rows = [
        ratio("step", SECONDS, SIDES, FASTER, at_least=2.5, floor={"seconds": 0.25}),
        row("pictures", 352.4, "images/s", {"ours": (352.4, "images/s")}),
    ]
    assert table(rows).splitlines() == [
        "what      sides                  figure        target  met  floor",
        "step      plain 3 s, ours 1.5 s  2 x faster    >= 2.5  no   0.25 s",
        "pictures  ours 352 images/s      352 images/s",
    ]
    assert table(rows, markdown=True).splitlines() == [
        "| what | sides | figure | target | met | floor |",
        "| --- | --- | --- | --- | --- | --- |",
        "| step | plain 3 s, ours 1.5 s | 2 x faster | >= 2.5 | no | 0.25 s |",
        "| pictures | ours 352 images/s | 352 images/s |  |  |  |",
    ]
