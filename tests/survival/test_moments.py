"""A run with evaluation, pictures and metrics, stopped at random moments, is the same in the end.

Each test makes ten stops, of processes as a user's, and resumes after each.
"""

import random
import subprocess
import sys
import time

import pytest

from tests.survival.moments import assert_nothing_happened, stop_again_and_again
from tests.test_train import ROOT, command
from tests.toy_data import build_records

pytestmark = pytest.mark.slow

STOPS = 10
# Metrics that need no other network.
FLAGS = ["--base_channels", "1", "--metrics", "colour,texture"]


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    records = build_records(tmp_path_factory.mktemp("data"))

    def train(model_dir):
        return subprocess.Popen(
            [sys.executable, "-m", "oasis_tf.train", *command(records, model_dir, *FLAGS)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return train


@pytest.fixture(scope="module")
def reference(start, tmp_path_factory):
    """(directory, seconds) of a run that nothing happens to."""
    model_dir, begin = tmp_path_factory.mktemp("runs") / "whole", time.monotonic()
    process = start(model_dir)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    return model_dir, time.monotonic() - begin


SIGNALS = ["SIGTERM", "SIGTERM", "SIGUSR1", "Ctrl-C"]
PIPES = ["pipes closed", "tee and Ctrl-C"]


@pytest.mark.parametrize(
    "ways, seed",
    [(SIGNALS, seed) for seed in range(4)] + [(PIPES, seed) for seed in range(4, 6)],
    ids=lambda value: value[0] if isinstance(value, list) else str(value),
)
def test_stopped_at_random_moments(start, reference, tmp_path, ways, seed):
    expected, seconds = reference
    left, rng, number = STOPS, random.Random(seed), 0
    while left:
        model_dir = tmp_path / str(number)
        left = stop_again_and_again(start, model_dir, left, ways, rng, seconds)
        assert_nothing_happened(model_dir, expected)
        number += 1
