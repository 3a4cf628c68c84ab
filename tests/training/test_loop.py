"""A whole run on two logical devices: steps, score, pictures, checkpoint and resume."""

import dataclasses

import pytest

from data_pipeline.records.manifest import Manifest
from oasis_tf.config import ConfigError
from oasis_tf.configs import PRESETS, toy
from oasis_tf.training.loop import Run
from tests.toy_data import build_records


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return build_records(tmp_path_factory.mktemp("data"))


def config(**changes):
    small = dict(
        image_size=(64, 128),
        batch_size=2,
        generator_channels=1,
        discriminator_channels=1,
        spade_channels=4,
        statistics_batches=2,
        log_every=1,
    )
    return dataclasses.replace(toy(PRESETS["folder"]), **{**small, **changes})


@pytest.mark.slow
def test_two_devices(records, tmp_path, mirrored):
    def run(**changes):
        return Run(config(**changes), Manifest.read(records), records, tmp_path, strategy=mirrored)

    outcome = run(steps=2).train()
    assert outcome.step == 2
    assert outcome.best_score is not None
    assert outcome.pictures.exists()
    resumed = run(steps=3, rematerialize=True)
    assert resumed.start_step == 2
    assert resumed.size.endswith("2 devices")
    assert resumed.train().step == 3


def test_a_batch_the_devices_cannot_share(records, tmp_path, mirrored):
    with pytest.raises(ConfigError, match="multiple of the 2 devices. Received: 3"):
        Run(config(batch_size=3), Manifest.read(records), records, tmp_path, strategy=mirrored)
