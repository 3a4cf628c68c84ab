"""Configurations: presets, overrides, and what a resumed run may change."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from oasis_tf.config import Config, ConfigError, check_resumable, load_config, save_config
from oasis_tf.configs import PRESETS, toy


def test_presets_are_what_the_documentation_says():
    text = (Path(__file__).parents[1] / "docs" / "training.md").read_text()
    row = r"^\| `(\w+)` \| (\d+) a step \| ([\dx]+|of the records) \| [^|]* \| "
    row += r"(?:([\d,]+) \()?(\d+) epochs"
    told = re.findall(row, text, re.MULTILINE)
    assert {"lvis", "ade20k", "coco_stuff", "cityscapes"} <= {name for name, *_ in told}
    (sizes,) = re.findall(r"\(([\d,]+) of LVIS v1, ([\d,]+), ([\d,]+), ([\d,]+)\)", text)
    pictures = dict(zip(("lvis", "ade20k", "coco_stuff", "cityscapes"), sizes, strict=True))
    for name, batch, size, steps, epochs in told:
        config = PRESETS[name]
        assert config.dataset == name
        assert (config.batch_size, config.epochs) == (int(batch), int(epochs))
        if name in pictures:
            height, width = config.image_size
            assert size == f"{height}x{width}"
            count = int(pictures[name].replace(",", ""))
            assert f"{config.total_steps(count):,}" == steps


def test_the_toy_twin_changes_only_size_and_pace():
    may_differ = {"generator_channels", "discriminator_channels", "batch_size", "steps", "epochs"}
    may_differ |= {"spade_channels", "init_gain", "spade_gain", "ema_decay"}
    may_differ |= {"generator_lr", "discriminator_lr"}
    may_differ |= {f"{what}_every" for what in ("log", "evaluate", "pictures", "checkpoint")}
    for config in PRESETS.values():
        before, after = dataclasses.asdict(config), dataclasses.asdict(toy(config))
        assert {name for name in before if before[name] != after[name]} <= may_differ
        assert after["generator_channels"] < before["generator_channels"]


def test_steps_from_epochs():
    # 10 epochs of 25 pictures in batches of 4: 62.5, rounded up.
    assert Config("folder", batch_size=4, epochs=10).total_steps(25) == 63
    assert Config("folder", steps=7).total_steps(25) == 7


@pytest.mark.parametrize(
    "change, message",
    [
        (
            {"image_size": (100, 256)},
            r"multiples of 64.*Received: 100 256; nearest possible: 128 256",
        ),
        ({"image_size": (0, 64)}, "Received: 0 64"),
        ({"batch_size": 0}, "--batch_size must be positive. Received: 0"),
        ({"generator_lr": -1.0}, "--generator_lr must be positive"),
        ({"seed": -1}, r"--seed must be in \[0, 2\^32\). Received: -1"),
        ({"labelmix_weight": float("nan")}, "--labelmix_weight must be finite. Received: nan"),
        ({"labelmix_weight": -1.0}, "--labelmix_weight must not be negative. Received: -1.0"),
        ({"generator_lr": float("inf")}, "--generator_lr must be finite. Received: inf"),
        ({"init_classes": "by_name"}, "--init_classes needs --init_from. Received: by_name"),
        ({"generator_lr": float("nan")}, "--generator_lr must be finite. Received: nan"),
        ({"ema_decay": 1.0}, r"--ema_decay must be in \[0, 1\). Received: 1.0"),
        ({"features": "vgg"}, "--features must be one of inception, segmenter. Received: vgg"),
        ({"metrics": ("ssim",)}, "--metrics must be some of .*Received: ssim"),
        ({"log_every": 0}, "--log_every must be positive"),
        ({"steps_per_loop": 0}, "--steps_per_loop must be positive"),
        ({"accumulate": -1}, "--accumulate must be positive. Received: -1"),
        ({"accumulate": 3}, "--batch_size must be a multiple of --accumulate 3. Received: 32"),
        ({"accumulate": 2, "share_pictures": True}, "--share_pictures must go without"),
        ({"class_balance": "half"}, "--class_balance must be one of replica, batch, none"),
        ({"noise_channels": -1}, "--noise_channels must not be negative. Received: -1"),
        ({"noise_channels": 0, "noise_layers": "first"}, "--noise_layers first needs noise"),
        ({"perceptual_weight": 10.0}, "--perceptual_weight needs --vgg_weights FILE"),
        ({"vgg_weights": "vgg.h5"}, "Received: vgg.h5 and a weight of 0"),
        (
            {"discriminator": "real_fake"},
            "--labelmix_weight 10, not 0; --class_balance replica, not none; neither --segmenter",
        ),
        ({"start": "cold"}, "--start must be one of guarded, released. Received: cold"),
    ],
)
def test_impossible_settings(change, message):
    with pytest.raises(ConfigError, match=message):
        dataclasses.replace(Config("folder"), **change)


def test_there_and_back(tmp_path):
    config = Config("lvis", image_size=(64, 128), steps=5, metrics=("fid", "colour"))
    save_config(tmp_path, config, {"num_classes": 7})
    assert load_config(tmp_path) == (config, {"num_classes": 7})
    assert [p.name for p in tmp_path.iterdir()] == ["config.json"]


def test_resuming_may_change_how_long_but_not_what(tmp_path):
    config = Config("lvis")
    save_config(tmp_path, config, {"shards": {"a": "7"}})
    longer = dataclasses.replace(config, steps=9, checkpoint_every=1, rematerialize=True)
    check_resumable(tmp_path, longer, {"shards": {"a": "7"}})
    check_resumable(tmp_path, dataclasses.replace(config, steps_per_loop=8), {"shards": {"a": "7"}})
    other = dataclasses.replace(config, accumulate=2, class_balance="batch")
    with pytest.raises(
        ConfigError,
        match="class_balance: began with replica.*\n.*accumulate: began with 1, received 2",
    ):
        check_resumable(tmp_path, other, {"shards": {"a": "7"}})
    other = dataclasses.replace(config, batch_size=3, seed=1)
    with pytest.raises(ConfigError) as caught:
        check_resumable(tmp_path, other, {"shards": {"a": "8"}})
    message = str(caught.value)
    assert "batch_size: began with 32, received 3" in message
    assert "seed: began with 0, received 1" in message
    assert "other records" in message


def test_a_run_from_before_a_setting_existed_has_its_default(tmp_path):
    save_config(tmp_path, Config("lvis"), {})
    path = tmp_path / "config.json"
    content = json.loads(path.read_text())
    for name in ("accumulate", "class_balance", "steps_per_loop", "metrics", "features"):
        del content["config"][name]
    path.write_text(json.dumps(content))
    assert load_config(tmp_path)[0] == Config("lvis")


def test_a_run_from_before_the_guarded_start_goes_on_as_released(tmp_path):
    save_config(tmp_path, Config("lvis"), {"shards": {}})
    path = tmp_path / "config.json"
    content = json.loads(path.read_text())
    del content["config"]["start"]
    path.write_text(json.dumps(content))
    check_resumable(tmp_path, Config("lvis", start="released"), {"shards": {}})
    with pytest.raises(ConfigError, match="start: began with released, received guarded"):
        check_resumable(tmp_path, Config("lvis"), {"shards": {}})


def test_what_is_measured_may_change_and_init_from_stays(tmp_path):
    config = Config("lvis", metrics=("kid", "fid"), segmenter="runs/segmenter", init_from="/first")
    save_config(tmp_path, config, {"shards": {}})
    other = dataclasses.replace(
        config, metrics=("fid",), features="segmenter", segmenter="other", init_from=None
    )
    expected = dataclasses.replace(other, init_from="/first")
    assert check_resumable(tmp_path, other, {"shards": {}}) == expected


def test_a_run_of_a_later_format_is_refused(tmp_path):
    save_config(tmp_path, Config("lvis"), {"shards": {}})
    path = tmp_path / "config.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "format_version": 2}))
    with pytest.raises(ConfigError, match=r"config.json: format_version must be at most 1.*: 2"):
        load_config(tmp_path)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"config": {"nonsense": 1}, "data": {}}'])
def test_a_broken_file_is_named(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ConfigError, match=r"config.json: not the configuration of a run"):
        load_config(tmp_path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="holds no run"):
        load_config(tmp_path)


def test_converted_weights_are_no_run(tmp_path):
    config = Config("ade20k")
    save_config(tmp_path, config, {"class_names": []})
    with pytest.raises(ConfigError, match="holds converted weights.*--init_from"):
        check_resumable(tmp_path, config, {"shards": {}})
