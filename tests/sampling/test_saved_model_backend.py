"""A SavedModel is used through its signatures; what it cannot do is said."""

import json

import numpy as np
import pytest
import tensorflow as tf

import oasis_tf
from data_pipeline.errors import DataError
from oasis_tf.checkpoints.run_dir import open_run_dir
from oasis_tf.sampling.noise import global_noise, within
from tests.toy_model import LEGEND

SIZE = (64, 96)


def export(generator, directory, size=SIZE):
    """The signatures of an exported model, in their plainest form."""

    maps = tf.TensorSpec((None, *size), tf.int32)
    vectors = tf.TensorSpec((None, None, generator.noise_channels))

    # One graph for both signatures.
    @tf.function(input_signature=[maps, vectors, maps], autograph=False)
    def draw(label_map, noise, noise_map):
        return generator(label_map, noise, noise_map)

    def decode(data, dtype=tf.uint16):
        def one(png):
            return tf.ensure_shape(tf.io.decode_png(png, 1, dtype)[..., 0], size)

        return tf.cast(tf.map_fn(one, data, fn_output_signature=dtype), tf.int32)

    def encode(image):
        image = tf.cast(tf.clip_by_value(tf.round((image + 1) * 127.5), 0, 255), tf.uint8)
        return {"image_bytes": tf.map_fn(tf.io.encode_png, image, fn_output_signature=tf.string)}

    def noise_of(seed):
        return global_noise(seed, generator.noise_channels)

    ids = tf.TensorSpec((None,), tf.int32, name="seed")
    text = tf.TensorSpec((None,), tf.string, name="label_map_bytes")

    @tf.function(
        input_signature=[tf.TensorSpec((None, *size), tf.int32, name="label_map"), ids],
        autograph=False,
    )
    def serving_default(label_map, seed):
        noise = noise_of(seed).noise[:, None]
        return {"image": draw(label_map, noise, tf.zeros_like(label_map))}

    @tf.function(
        input_signature=[
            text,
            tf.TensorSpec((None,), tf.string, name="mask_bytes"),
            ids,
            tf.TensorSpec((None,), tf.int32, name="edit_seed"),
        ],
        autograph=False,
    )
    def edit_png(label_map_bytes, mask_bytes, seed, edit_seed):
        mask = decode(mask_bytes, tf.uint8) > 0
        noise = within(noise_of(seed), noise_of(edit_seed), tf.ensure_shape(mask, (None, *size)))
        label_map = decode(label_map_bytes)
        return encode(draw(label_map, noise.noise, tf.ensure_shape(noise.noise_map, (None, *size))))

    module = tf.Module()
    module.generator = generator
    signatures = {"serving_default": serving_default, "edit_png": edit_png}
    tf.saved_model.save(module, str(directory), signatures)
    (directory / "assets.extra").mkdir()
    information = {
        "num_classes": LEGEND.num_classes,
        "class_names": list(LEGEND.class_names),
        "palette": [list(colour) for colour in LEGEND.palette],
        "image_size": list(size),
        "noise_channels": generator.noise_channels,
        "size_multiple": 32,
    }
    (directory / "assets.extra" / "model.json").write_text(json.dumps(information))


@pytest.fixture(scope="module")
def exported(toy_run, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported")
    export(open_run_dir(toy_run).load_generator(), path / "3")
    return path


@pytest.fixture(scope="module")
def model(exported):
    return oasis_tf.load(exported)


@pytest.fixture
def original(toy_synthesizer):
    return toy_synthesizer


@pytest.fixture
def label_map():
    label_map = np.ones(SIZE, int)
    label_map[30:, 40:] = 2
    return label_map


def assert_close(actual, expected):
    """Up to rounding: another graph may sum in another order."""
    assert np.abs(actual.astype(int) - expected).max() <= 1


def test_the_same_pictures_as_the_run(model, original, label_map):
    assert model.class_names == LEGEND.class_names
    assert model.image_size == SIZE
    actual, expected = (m.synthesize(label_map, seed=4, samples=2) for m in (model, original))
    assert_close(actual, expected)
    assert (actual[0] != actual[1]).any()


@pytest.mark.parametrize("options", [{"classes": ["sea"]}, {"classes": [2], "to_class": "sand"}])
def test_the_same_edits_as_the_run(model, original, label_map, options):
    actual, expected = (m.edit(label_map, seed=4, samples=2, **options) for m in (model, original))
    assert_close(actual.images, expected.images)
    assert (actual.images[1] != actual.original).any()


def test_other_sizes_are_resized_to_the_exported_one(model, label_map):
    pictures = model.synthesize(label_map.repeat(2, 0).repeat(3, 1))
    assert pictures.shape == (1, 128, 288, 3)


def test_a_numbered_directory_itself(exported, model, label_map):
    again = oasis_tf.load(exported / "3")
    np.testing.assert_array_equal(again.synthesize(label_map), model.synthesize(label_map))


def test_what_it_cannot_do(model, label_map):
    for call in (model.synthesize, lambda m, **o: model.edit(m, classes=["sky"], **o)):
        with pytest.raises(DataError, match="one noise vector per picture, not per class"):
            call(label_map, per_class=True)
    with pytest.raises(DataError, match="draws from seeds, not from what lies between"):
        model.interpolate(label_map)
    with pytest.raises(DataError, match="no Keras model; load the training run.*Received: .*3"):
        _ = model.generator


def test_not_ours(exported, tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path / "1"))
    with pytest.raises(DataError, match=r"model.json must describe the model"):
        oasis_tf.load(tmp_path)
    (tmp_path / "1" / "assets.extra").mkdir()
    information = (exported / "3" / "assets.extra" / "model.json").read_text()
    (tmp_path / "1" / "assets.extra" / "model.json").write_text(information)
    with pytest.raises(DataError, match="must have the signature serving_default"):
        oasis_tf.load(tmp_path)
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"cut")
    with pytest.raises(DataError, match="must be a whole SavedModel"):
        oasis_tf.load(tmp_path)
