"""A whole run on two logical devices: steps, score, pictures, checkpoint and resume."""

import dataclasses

import pytest

from data_pipeline.records.manifest import Manifest
from oasis_tf.config import ConfigError
from oasis_tf.configs import PRESETS, toy
from oasis_tf.models.generator import Generator
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


@pytest.mark.slow
def test_statistics_and_score_take_what_a_device_holds_in_training(
    records, tmp_path, mirrored, monkeypatch, eager
):
    settings = config(batch_size=4, accumulate=2, statistics_batches=1)
    run = Run(settings, Manifest.read(records), records, tmp_path, strategy=mirrored)
    generate, sizes = Generator.generate, []

    def record(self, patch_index, noise, training=False):
        sizes.append((training, noise.shape[0]))
        return generate(self, patch_index, noise, training=training)

    monkeypatch.setattr(Generator, "generate", record)
    run._estimate_statistics(run._batches.for_statistics())
    assert sizes == [(True, 1)] * 2 * 2  # each device's half of a batch, in two parts
    sizes.clear()
    run._score(run._batches.for_evaluation())
    assert set(sizes) == {(False, 1)}


def test_a_batch_the_devices_cannot_share(records, tmp_path, mirrored):
    with pytest.raises(ConfigError, match="multiple of the 2 devices. Received: 3"):
        Run(config(batch_size=3), Manifest.read(records), records, tmp_path, strategy=mirrored)
