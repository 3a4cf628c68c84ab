"""The generator's part at toy widths, with times that are known."""

import pytest

from benchmarks.parts import generator


@pytest.mark.slow
def test_rows(options, clock):
    times = {"plain": 4.0, "bfloat16": 0.5, "33 classes": 1.05, "one class": 0.5}
    clock(generator, times)
    rows = {row["what"]: row for row in generator.run(options)}
    # Two widths: three kinds of maps in two precisions and three differences; two widths compared.
    assert len(rows) == 2 * (3 * 2 + 3) + 2

    def check(what, figure, target, met):
        assert rows[what]["figure"] == pytest.approx(figure)
        assert (rows[what]["target"], rows[what]["met"]) == (target, met)

    check("9 classes, recorded maps, float32", 4.0, ">= 2.6", True)
    check("9 classes, recorded maps, bfloat16", 8.0, ">= 4.5", True)
    check("33 classes, recorded maps, float32", 4.0, ">= 4", True)
    check("33 classes, recorded maps, bfloat16", 8.0, None, None)
    check("9 classes, one class, float32", 4.0, None, None)
    check("33 classes, random labels, float32", 0.25, "<= 1.15", True)
    check("33 classes beside 9, float32", 1.05, "<= 1.1", True)
    recorded = rows["9 classes, recorded maps, float32"]
    assert recorded["sides"] == {"plain": [4.0, "s"], "ours": [1.0, "s"]}
    assert recorded["distinct_patches"]["64x128"] < 0.2
    assert rows["9 classes, random labels, float32"]["distinct_patches"]["64x128"] > 0.9
    assert recorded["floor"]["dtype"] == "float32"
    # The same weights on all sides: float32 agrees to rounding, bfloat16 to its three digits.
    assert rows["9 classes, pictures of ours float32 and plain"]["figure"] < 1e-4
    difference = rows["9 classes, pictures of ours bfloat16 and plain"]
    assert 1e-5 < difference["figure"] < 0.1
    assert difference["target"] == "<= 0.02"
    assert difference["sides"]["standard deviation of a picture"][0] > 0.05
