"""Pictures are functions of label map and seed; edits stay where they belong."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from data_pipeline.errors import DataError
from oasis_tf.checkpoints.run_dir import open_run_dir
from oasis_tf.images import to_uint8
from oasis_tf.sampling.generator_backend import GeneratorBackend
from oasis_tf.sampling.loading import load
from oasis_tf.sampling.noise import class_noise, global_noise, segment_noise
from oasis_tf.sampling.receptive_field import reach
from tests.toy_model import LEGEND

N = LEGEND.num_classes


@pytest.fixture
def model(toy_synthesizer):
    return toy_synthesizer


@pytest.fixture
def label_map():
    """Sky over sea, and two beaches."""
    label_map = np.full((64, 96), 1)
    label_map[30:] = 2
    label_map[50:, 10:30] = label_map[40:, 60:80] = 3
    return label_map


def test_what_the_model_says_of_itself(model):
    assert model.class_names == LEGEND.class_names
    assert model.image_size == (64, 128)
    np.testing.assert_array_equal(model.palette, LEGEND.palette)


@pytest.mark.parametrize("spread", ["picture", "class", "segment"])
def test_against_the_generator(model, toy_run, label_map, spread):
    generator = open_run_dir(toy_run).load_generator()
    z = generator.noise_channels
    if spread == "picture":
        noise, options = global_noise([7], z), {}
    elif spread == "class":
        noise, options = class_noise([7], label_map[None], N, z), {"per_class": True}
    else:
        noise, options = segment_noise([7], label_map[None], z), {"per_segment": True}
    expected = to_uint8(generator(tf.constant(label_map[None], tf.int32), *noise)[0])
    pictures = model.synthesize(label_map, seed=7, **options)
    assert pictures.dtype == np.uint8 and pictures.shape == (1, 64, 96, 3)
    # Another graph rounds some sums differently, which may show in the last bit of 255.
    assert np.abs(pictures[0].astype(int) - expected).max() <= 1


def assert_compiled_is_the_same(model, toy_run, label_map):
    """Within 1 of 255, whether or not each image has several noise vectors."""
    compiled = load(toy_run, jit_compile=True)
    for options in ({}, {"per_segment": True}):
        expected = model.synthesize(label_map, seed=7, **options)
        actual = compiled.synthesize(label_map, seed=7, **options)
        assert np.abs(actual.astype(int) - expected).max() <= 1


def test_in_the_forms_for_xla(model, toy_run, label_map, eager):
    assert_compiled_is_the_same(model, toy_run, label_map)


@pytest.mark.slow
def test_compiled_by_xla(model, toy_run, label_map):
    assert_compiled_is_the_same(model, toy_run, label_map)


@pytest.mark.parametrize("options", [{}, {"per_class": True}, {"per_segment": True}])
def test_alone_and_among_others(model, label_map, options):
    pictures = model.synthesize(label_map, seed=5, samples=4, **options)
    for k in range(4):
        alone = model.synthesize(label_map, seed=5 + k, **options)
        np.testing.assert_array_equal(pictures[k], alone[0])
    assert len({picture.tobytes() for picture in pictures}) == 4


def test_several_label_maps(model, label_map):
    label_maps = np.stack([label_map, label_map[:, ::-1], label_map[::-1]])
    pictures = model.synthesize(label_maps, seed=5, samples=2, per_class=True, size=(40, 33))
    assert pictures.dtype == np.uint8 and pictures.shape == (3, 2, 40, 33, 3)
    for one, expected in zip(label_maps, pictures, strict=True):
        alone = model.synthesize(one, seed=5, samples=2, per_class=True, size=(40, 33))
        np.testing.assert_array_equal(alone, expected)
    assert model.synthesize(label_maps[:1]).shape == (1, 1, 64, 96, 3)


def test_several_label_maps_are_checked_before_the_first_is_drawn(model, label_map, monkeypatch):
    def draw(*_):
        raise AssertionError("drawn")

    monkeypatch.setattr(GeneratorBackend, "generate", draw)
    with pytest.raises(DataError, match="id 9: 1 pixels"):
        wrong = label_map.copy()
        wrong[3, 4] = 9
        model.synthesize(np.stack([label_map, wrong]))
    with pytest.raises(DataError, match=r"Received: int64 of shape \(0, 64, 96\)"):
        model.synthesize(np.zeros((0, 64, 96), int))


def test_the_generator_as_a_keras_model(model, toy_run, label_map, tmp_path):
    noise = global_noise([7], model.generator.noise_channels).noise
    inputs = tf.constant(label_map[None], tf.int32), noise
    expected = open_run_dir(toy_run).load_generator()(*inputs)
    np.testing.assert_array_equal(model.generator(*inputs), expected)
    model.generator.save(tmp_path / "x.keras")
    loaded = keras.saving.load_model(tmp_path / "x.keras")
    np.testing.assert_array_equal(loaded(*inputs), expected)


def test_sizes(model, label_map):
    assert model.synthesize(label_map[:50, :90]).shape == (1, 50, 90, 3)
    assert model.synthesize(label_map, size=(40, 33)).shape == (1, 40, 33, 3)
    assert model.synthesize(label_map[:1, :1]).shape == (1, 1, 1, 3)
    # At twice the size a model sees a label map whose pixels are doubled.
    doubled = model.synthesize(label_map.repeat(2, 0).repeat(2, 1))
    np.testing.assert_array_equal(model.synthesize(label_map, size=(128, 192)), doubled)
    # A size it cannot draw is drawn at the nearest one, and resized.
    drawn = Image.fromarray(model.synthesize(label_map, size=(64, 96))[0])
    expected = np.asarray(drawn.resize((100, 70), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(model.synthesize(label_map, size=(70, 100))[0], expected)


def test_edit_of_classes(model, label_map):
    edit = model.edit(label_map, seed=3, classes=["sand"], samples=2)
    np.testing.assert_array_equal(edit.original, model.synthesize(label_map, seed=3)[0])
    np.testing.assert_array_equal(edit.mask, label_map == 3)
    assert len(edit.images) == 2
    for image in edit.images:
        assert (image != edit.original)[edit.mask].mean() > 0.05


def test_an_edit_of_everything_is_the_picture_of_the_other_seed(model, label_map):
    edit = model.edit(label_map, seed=3, classes=["sky", 2, "Sand"], edit_seed=9)
    difference = edit.images[0].astype(int) - model.synthesize(label_map, seed=9)[0]
    assert np.abs(difference).max() <= 1


def test_an_edit_with_its_own_seed_changes_nothing(model, label_map):
    for options in ({}, {"per_class": True}, {"per_segment": True}):
        edit = model.edit(label_map, seed=3, edit_seed=3, mask=label_map == 2, **options)
        assert np.abs(edit.images[0].astype(int) - edit.original).max() <= 1


def test_pixels_beyond_the_reach_are_identical(model):
    label_map = np.ones((32, 640), int)
    label_map[:, 600:] = 2
    edit = model.edit(label_map, seed=3, classes=["sea"], samples=3)
    for image in edit.images:
        changed = np.flatnonzero((image != edit.original).any(axis=(0, 2)))
        assert 600 - reach() <= changed.min() < 600


def test_edit_of_one_segment(model, label_map):
    edit = model.edit(label_map, classes=["sand#1"], per_segment=True)
    expected = (label_map == 3) & (np.arange(96) >= 60)  # the higher one comes first
    np.testing.assert_array_equal(edit.mask, expected)


def test_another_class(model, label_map):
    mask = np.zeros(label_map.shape, np.uint8)
    mask[40:60, 40:60] = 255
    edit = model.edit(label_map, seed=3, mask=mask, to_class="sea shell", samples=2)
    changed = np.where(mask > 0, 4, label_map)
    # The first edit keeps the noise, so it is the picture of the changed label map.
    expected = model.synthesize(changed, seed=3)[0]
    assert np.abs(edit.images[0].astype(int) - expected).max() <= 1
    assert (edit.images[1] != edit.images[0]).any()


def test_interpolation(model, label_map):
    frames = model.interpolate(label_map, seed=3, to_seed=8, frames=4)
    assert frames.shape == (4, 64, 96, 3)
    for frame, seed in ((frames[0], 3), (frames[-1], 8)):
        difference = frame.astype(int) - model.synthesize(label_map, seed=seed)[0]
        assert np.abs(difference).max() <= 1
    steps = np.abs(np.diff(frames.astype(int), axis=0)).mean(axis=(1, 2, 3))
    assert (steps > 0).all()
    linear = model.interpolate(label_map, seed=3, to_seed=8, frames=4, linear=True)
    assert (linear[1] != frames[1]).any()


def test_interpolation_in_a_region(model):
    label_map = np.ones((32, 640), int)
    label_map[:, 600:] = 2
    frames = model.interpolate(label_map, frames=3, classes="sea")
    far = slice(0, 600 - reach())
    np.testing.assert_array_equal(frames[1:, :, far], frames[:1, :, far].repeat(2, axis=0))
    assert (frames[1] != frames[0]).any() and (frames[2] != frames[1]).any()


@pytest.mark.parametrize(
    "label_map, message",
    [
        (np.zeros((0, 4), int), r"filled int array .h, w.. Received: int64 of shape .0, 4."),
        (np.zeros((1, 1, 4, 4), int), "Received: int64 of shape"),
        (np.zeros((4, 4)), "Received: float64 of shape"),
        (np.full((4, 4), 5), r"in 0..4, the model's classes. Received:\n  id 5: 16 pixels"),
        (np.full((4, 4), -1), "id -1: 16 pixels"),
        (np.zeros((2000, 2000), np.uint8), "at most 2097152 pixels.*Received: 2000x2000"),
    ],
)
def test_bad_label_maps(model, label_map, message):
    for call in (model.synthesize, model.interpolate, lambda m: model.edit(m, classes=["sky"])):
        with pytest.raises(DataError, match=message):
            call(label_map)


def test_edits_and_frames_are_of_one_label_map(model):
    for call in (model.interpolate, lambda m: model.edit(m, classes=["sky"])):
        with pytest.raises(DataError, match=r"int array \(h, w\). Received: int64 of shape"):
            call(np.zeros((1, 4, 4), int))


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(seed=-1), r"seed must be in 0..2147483647"),
        (dict(seed=2**31 - 1, samples=2), "seed must be in .* 2147483647 with 2 samples"),
        (dict(seed=1.5), "seed must be a whole number. Received: 1.5"),
        (dict(samples=0), "samples must be 1 or more"),
        (dict(size=(0, 4)), r"height and width in pixels. Received: \(0, 4\)"),
        (dict(per_class=True, per_segment=True), "exclude each other"),
    ],
)
def test_bad_options(model, label_map, options, message):
    with pytest.raises(DataError, match=message):
        model.synthesize(label_map, **options)


@pytest.mark.parametrize(
    "options, message",
    [
        ({}, "must have `classes` or a `mask`. Received: neither"),
        (dict(classes=["skye"]), "'skye'; the nearest: sky"),
        (dict(classes=["sky"], to_class="see"), "'see'; the nearest: sea"),
        (dict(classes=["sky"], to_class=5), r"in 0..4. Received: 5"),
        (dict(classes=["sky"], edit_seed=-1), "edit_seed must be in"),
    ],
)
def test_bad_edits(model, label_map, options, message):
    with pytest.raises(DataError, match=message):
        model.edit(label_map, **options)


def test_a_region_too_small_for_the_size(model, label_map):
    label_map[3, 3] = 4
    with pytest.raises(DataError, match="a region of 1 pixels, drawn at 32x32"):
        model.edit(label_map, classes=["sea shell"], size=(32, 32))


def test_bad_interpolations(model, label_map):
    with pytest.raises(DataError, match="`frames` must be 2 or more. Received: 1"):
        model.interpolate(label_map, frames=1)
    with pytest.raises(DataError, match="to_seed must be in"):
        model.interpolate(label_map, to_seed=-3)
