"""What is said of a run that is too short, or too long for a CPU."""

import dataclasses
import doctest

import pytest

from oasis_tf.configs import PRESETS, toy
from oasis_tf.training import advice

FOLDER = PRESETS["folder"]


def changed(config, **changes):
    return dataclasses.replace(config, **changes)


def test_examples():
    assert doctest.testmod(advice).failed == 0
    assert doctest.testmod(advice).attempted == 3


def test_devices_of_several_kinds():
    assert advice.length(10, 80, 4, ["A", "B", "A"]).endswith("= 0.5 epochs on 2 x A, B")


# 200 epochs in batches of 32: 159 pictures make 994 updates, 160 make 1,000.
@pytest.mark.parametrize("examples, warned", [(24, True), (159, True), (160, False)])
def test_too_few_steps(examples, warned):
    lines = advice.warnings(FOLDER, examples)
    assert len(lines) == warned
    if warned:
        steps = {24: 150, 159: 994}[examples]
        assert lines[0].startswith(f"{steps} steps are too few for a learning rate of 0.0001:")
        assert "--toy" in lines[0] and "--steps 2000" in lines[0]


def test_who_is_not_warned():
    assert advice.warnings(changed(FOLDER, steps=40), 24)
    for config in (
        toy(FOLDER),
        changed(FOLDER, steps=40, generator_lr=1e-3),
        changed(FOLDER, steps=40, init_from="runs/other"),
        changed(FOLDER, steps=4000),
    ):
        assert advice.warnings(config, 24) == []


def test_an_average_that_has_not_warmed_up():
    # 0.9999^1000 = 0.9048; 0.9999^7000 = 0.4966
    (line,) = advice.warnings(changed(FOLDER, start="released", steps=1000), 24)
    assert "90% of the averaged generator" in line and "--start guarded" in line
    assert advice.warnings(changed(FOLDER, start="released", steps=7000), 24) == []


def test_hours():
    assert advice.long_run(2 * 3600) is None
    assert advice.long_run(2 * 3600 + 1).startswith("about 2 hours at this speed;")
    assert "--toy" in advice.long_run(1e6)
