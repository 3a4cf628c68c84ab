"""TensorBoard's files, read back: a sentence on every curve."""

import orbit
import pytest
import tensorflow as tf

from oasis_tf.training.curves import DESCRIPTIONS, DescribedScalars, describe
from oasis_tf.training.step import METRICS


def events(directory):
    """{(tag, step): (float, description)}."""
    found = {}
    for path in sorted(directory.glob("events*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                number = float(tf.make_ndarray(value.tensor))
                found[value.tag, event.step] = number, value.metadata.summary_description
    return found


def test_the_first_point_of_a_curve_has_it(tmp_path):
    step = tf.Variable(1, dtype=tf.int64)
    curves = orbit.utils.SummaryManager(str(tmp_path), DescribedScalars(), global_step=step)
    curves.write_summaries({"score/miou": 0.25, "mine": 7.0})
    step.assign(5)
    curves.write_summaries({"score/miou": 0.5, "metrics/fid": 30.0})
    curves.flush()
    assert events(tmp_path) == {
        ("score/miou", 1): (0.25, DESCRIPTIONS["score/miou"]),
        ("score/miou", 5): (0.5, ""),
        ("mine", 1): (7.0, ""),
        ("metrics/fid", 5): (30.0, DESCRIPTIONS["metrics"]),
    }


@pytest.mark.parametrize(
    "name",
    [
        *(name for name in METRICS if not name.startswith("skipped/")),
        "skipped_updates/generator",
        "sigma/generator_first",
        "learning_rate/discriminator",
        "images_per_second",
        "score/miou",
        "score/accuracy",
        "discriminator/real_as_fake",
        "metrics/miou",
    ],
)
def test_every_curve_has_one(name):
    sentence = describe(name)
    assert sentence is not None and sentence.endswith(".")


def test_what_is_not_known_has_none():
    assert describe("loss/other") is None
