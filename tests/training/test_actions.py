"""The live line, on a terminal and into a file."""

import contextlib
import io

import tensorflow as tf

from oasis_tf.training.actions import Progress

OUTPUT = {
    "loss/generator": 1.0,
    "loss/discriminator_fake": 2.0,
    "loss/discriminator_real": 3.0,
    "loss/labelmix": 0.5,
    "images_per_second": 7.0,
}


def test_into_a_file_it_is_whole_lines():
    stream = io.StringIO()
    step = tf.Variable(0, dtype=tf.int64)
    with contextlib.redirect_stderr(stream):
        progress = Progress(step, total=3)
        for _ in range(3):
            step.assign_add(1)
            progress(OUTPUT)
    lines = stream.getvalue().splitlines()
    # The first at once, the second within ten seconds of it, the last because it is the last.
    assert [line.split()[1] for line in lines] == ["1/3", "3/3"]
    assert "7.0 images/s  G 1.000  D fake 2.000  D real 3.000  LabelMix 0.500" in lines[0]
    assert lines[1].endswith("0:00 left")


def test_on_a_terminal_it_is_rewritten_and_closed_once():
    stream = io.StringIO()
    stream.isatty = lambda: True
    step = tf.Variable(4, dtype=tf.int64)
    with contextlib.redirect_stderr(stream):
        progress = Progress(step, total=9)
        for _ in range(2):
            step.assign_add(1)
            progress(OUTPUT)
        assert stream.getvalue().count("\r") == 2
        assert not stream.getvalue().endswith("\n")
        progress.close()
        progress.close()
    assert stream.getvalue().endswith("left\033[K\n")


def test_the_first_explosion_of_each_network_is_told_and_the_others_are_counted():
    stream = io.StringIO()
    stream.isatty = lambda: True
    step = tf.Variable(3, dtype=tf.int64)
    with contextlib.redirect_stderr(stream):
        progress = Progress(step, total=9)
        progress(OUTPUT, [("discriminator", 2, 14.8e6, 9.9e6), ("discriminator", 3, 5e4, 2e4)])
        progress(OUTPUT, [("discriminator", 4, 5e4, 2e4), ("generator", 4, 3e3, 1.5e3)])
    warnings = [line for line in stream.getvalue().split("\n") if line.startswith("warning")]
    assert warnings == [
        "warning: the gradient of the discriminator has the norm 1.48e+07 at step 2, 9.9e+06 times "
        "its running norm (docs/training_start.md)",
        "warning: the gradient of the generator has the norm 3e+03 at step 4, 1.5e+03 times its "
        "running norm (docs/training_start.md)",
    ]
    assert "discriminator exploded 3x  generator exploded 1x" in stream.getvalue()
