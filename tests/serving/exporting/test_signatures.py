import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from data_pipeline.records.png import encode_label_map
from oasis_tf.images import to_uint8
from oasis_tf.sampling.noise import global_noise, within
from oasis_tf.serving.exporting.export_model import export_model
from oasis_tf.serving.exporting.fuse_norms import fuse_norms
from oasis_tf.serving.exporting.signatures import build_signatures
from tests.serving.exporting.toy_generator import CLASSES, toy_generator, toy_info

MAX_PIXELS = 3 * 64 * 128


@pytest.fixture(scope="module")
def generator():
    return toy_generator()


@pytest.fixture(scope="module")
def signatures(generator):
    return build_signatures(fuse_norms(generator), toy_info(max_pixels=MAX_PIXELS))


def maps(count, height=32, width=64, seed=0):
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, CLASSES, (count, height // 16, width // 16))
    return ids.repeat(16, 1).repeat(16, 2).astype(np.int32)


def files(arrays):
    return tf.constant([encode_label_map(array) for array in arrays])


def ints(*values):
    return tf.constant(values, tf.int32)


def pictures(outputs):
    return [np.array(Image.open(io.BytesIO(file))) for file in outputs["image_bytes"].numpy()]


def close(a, b):
    """Pictures that differ by rounding at most."""
    assert a.shape == b.shape
    return np.abs(np.int32(a) - np.int32(b)).max() <= 1


def expected(generator, label_maps, noise):
    return to_uint8(generator(tf.constant(label_maps), *noise))


@pytest.mark.parametrize("size", [(32, 64), (96, 32)])
def test_serving_default(signatures, generator, size):
    label_map = maps(2, *size)
    image = signatures["serving_default"](label_map=label_map, seed=ints(3, 4))["image"]
    noise, _ = global_noise([3, 4], 4)
    np.testing.assert_allclose(image, generator(tf.constant(label_map), noise), atol=2e-5)


def test_a_row_is_the_same_alone_and_in_a_batch(signatures):
    label_map = maps(2)
    call = signatures["serving_default"]
    batch = call(label_map=label_map, seed=ints(3, 4))["image"]
    alone = call(label_map=label_map[1:], seed=ints(4))["image"]
    np.testing.assert_allclose(batch[1:], alone, atol=1e-5)


def test_more_pixels_than_fit_at_once_are_drawn_row_by_row(signatures, generator):
    label_map = maps(7, 64, 64)
    assert label_map.size > MAX_PIXELS
    image = signatures["serving_default"](label_map=label_map, seed=tf.range(7))["image"]
    expected = generator(tf.constant(label_map), global_noise(range(7), 4).noise)
    np.testing.assert_allclose(image, expected, atol=2e-5)


def test_synthesize_png(signatures, generator):
    label_maps = maps(2)
    outputs = signatures["synthesize_png"](label_map_bytes=files(label_maps), seed=ints(3, 4))
    for picture, right in zip(
        pictures(outputs), expected(generator, label_maps, global_noise([3, 4], 4)), strict=True
    ):
        assert close(picture, right)


def test_rows_of_different_sizes(signatures, generator):
    label_maps = [maps(1)[0], maps(1, 64, 32)[0], maps(1, seed=1)[0]]
    outputs = signatures["synthesize_png"](label_map_bytes=files(label_maps), seed=ints(1, 2, 3))
    for picture, label_map, seed in zip(pictures(outputs), label_maps, (1, 2, 3), strict=True):
        assert close(picture, expected(generator, label_map[None], global_noise([seed], 4))[0])


def test_edit_png(signatures, generator):
    label_maps = maps(2)
    masks = np.zeros(label_maps.shape, np.uint8)
    masks[0, :, 20:40] = 255
    outputs = signatures["edit_png"](
        label_map_bytes=files(label_maps),
        mask_bytes=files(masks),
        seed=ints(1, 2),
        edit_seed=ints(8, 9),
    )
    noise = within(global_noise([1, 2], 4), global_noise([8, 9], 4), masks > 0)
    right = expected(generator, label_maps, noise)
    for picture, wanted in zip(pictures(outputs), right, strict=True):
        assert close(picture, wanted)
    # An empty mask changes nothing.
    assert close(right[1], expected(generator, label_maps, global_noise([1, 2], 4))[1])


def test_regions_png(signatures, generator):
    label_maps = maps(2)
    seed_maps = np.full(label_maps.shape, 50_000)
    seed_maps[:, :, 16:32], seed_maps[0, 10:20, 40:], seed_maps[1, 0, 0] = 6, 7, 8
    outputs = signatures["regions_png"](
        label_map_bytes=files(label_maps), seed_map_bytes=files(seed_maps)
    )
    seeds = np.array([50_000, 6, 7, 8])
    table = tf.tile(global_noise(seeds, 4).noise[None], [2, 1, 1])
    noise_map = np.argmax(seed_maps[..., None] == seeds, axis=-1)
    right = expected(generator, label_maps, (table, tf.constant(noise_map, tf.int32)))
    for picture, wanted in zip(pictures(outputs), right, strict=True):
        assert close(picture, wanted)


def test_no_files_at_all(signatures):
    none, no_seed = tf.constant([], tf.string), tf.constant([], tf.int32)
    for name, inputs in {
        "synthesize_png": {"seed": no_seed},
        "edit_png": {"mask_bytes": none, "seed": no_seed, "edit_seed": no_seed},
        "regions_png": {"seed_map_bytes": none},
    }.items():
        outputs = signatures[name](label_map_bytes=none, **inputs)
        assert outputs["image_bytes"].shape == (0,)


def test_describe(signatures):
    texts = signatures["describe"](index=ints(0, 7))["model_json"].numpy()
    assert len(texts) == 2
    assert texts[0].decode() == texts[1].decode() == toy_info(max_pixels=MAX_PIXELS).to_json()


def call(signatures, name, **changes):
    label_maps = maps(1)
    inputs = {
        "serving_default": {"label_map": tf.constant(label_maps), "seed": ints(0)},
        "synthesize_png": {"label_map_bytes": files(label_maps), "seed": ints(0)},
        "edit_png": {
            "label_map_bytes": files(label_maps),
            "mask_bytes": files(label_maps),
            "seed": ints(0),
            "edit_seed": ints(0),
        },
        "regions_png": {
            "label_map_bytes": files(label_maps),
            "seed_map_bytes": files(label_maps),
        },
    }
    return signatures[name](**{**inputs[name], **changes})


ODD, LARGE = np.zeros((1, 32, 48)), np.zeros((1, 32, 32 * 100))


@pytest.mark.parametrize(
    "name, changes, message",
    [
        ("serving_default", {"label_map": maps(1) + CLASSES}, "ids must be in 0..4"),
        ("serving_default", {"label_map": maps(1) - 9}, "ids must be in 0..4"),
        ("serving_default", {"label_map": ODD.astype(np.int32)}, "multiples of 32.*32 48"),
        ("serving_default", {"label_map": LARGE.astype(np.int32)}, "pixels"),
        ("serving_default", {"seed": ints(1, 2)}, "seed must have as many rows"),
        ("serving_default", {"seed": ints(-1)}, "seed must be in 0..2147483647. Received: -1"),
        ("synthesize_png", {"label_map_bytes": files(maps(1) + CLASSES)}, "those of the 5 classes"),
        ("synthesize_png", {"label_map_bytes": files(ODD)}, "multiples of 32"),
        ("synthesize_png", {"label_map_bytes": files(LARGE)}, "pixels"),
        ("synthesize_png", {"label_map_bytes": tf.constant([b"text"])}, "must be PNG files"),
        ("synthesize_png", {"seed": ints(1, 2)}, "seed must have as many rows"),
        ("edit_png", {"mask_bytes": files(np.zeros((1, 64, 64)))}, "mask_bytes must have the size"),
        ("edit_png", {"mask_bytes": files(np.zeros((2, 32, 64)))}, "mask_bytes must have as many"),
        ("edit_png", {"edit_seed": ints(1, 2)}, "edit_seed must have as many rows"),
        ("edit_png", {"edit_seed": ints(-7)}, "edit_seed must be in 0..2147483647. Received: -7"),
        ("regions_png", {"seed_map_bytes": files(ODD)}, "seed_map_bytes must have the size"),
        (
            "regions_png",
            {"seed_map_bytes": files(np.arange(2048).reshape(1, 32, 64))},
            "at most 256 seeds a picture. Received: 2048",
        ),
    ],
)
def test_wrong_input(signatures, name, changes, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        call(signatures, name, **changes)
    call(signatures, name)


def noise_inputs():
    """What `generate` takes, of two pictures with three vectors each."""
    noise = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    inputs = {"label_map": maps(2), "noise": noise, "noise_map": maps(2, seed=1) % 3}
    return {name: tf.constant(array) for name, array in inputs.items()}


@pytest.mark.parametrize("compiled", [False, True])
def test_generate_takes_the_noise_itself(signatures, generator, compiled):
    inputs = noise_inputs()
    draw = tf.function(lambda inputs: signatures["generate"](**inputs), jit_compile=compiled)
    image = draw(inputs)["image"]
    np.testing.assert_allclose(image, generator(*inputs.values()), atol=1e-5)


@pytest.mark.slow
def test_other_engines_read_generate_in_the_saved_model(generator, tmp_path):
    openvino = pytest.importorskip("openvino", reason="NO OPENVINO: pip install openvino")
    litert = pytest.importorskip("ai_edge_litert.interpreter", reason="NO LITERT")
    path = str(export_model(generator, toy_info(), tmp_path / "toy"))
    inputs = {name: tensor.numpy() for name, tensor in noise_inputs().items()}
    right = generator(*noise_inputs().values())

    converter = tf.lite.TFLiteConverter.from_saved_model(path, signature_keys=["generate"])
    model = litert.Interpreter(model_content=converter.convert())
    image = model.get_signature_runner("generate")(**inputs)["image"]
    np.testing.assert_allclose(image, right, atol=1e-5)

    loaded = tf.saved_model.load(path)  # its signatures do not keep it alive
    model = openvino.convert_model(loaded.signatures["generate"])
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    given = [inputs[value.any_name] for value in model.inputs]
    (image,) = openvino.Core().compile_model(model, "CPU", exact)(given).values()
    np.testing.assert_allclose(image, right, atol=1e-5)


def test_generate_has_only_what_other_engines_have(signatures):
    graph = signatures["generate"].graph.as_graph_def()
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    kinds = {node.op for node in nodes}
    foreign = ("Random", "Sparse", "Unique", "Assert", "While", "If", "String", "TensorList")
    assert not [kind for kind in kinds if any(part in kind for part in foreign)]
    types = {value.type for node in nodes for value in node.attr.values()}
    assert tf.string.as_datatype_enum not in types


@pytest.mark.parametrize("shapes", [((1, 128, 256),) * 2, ((1, 128, 1), (1, 1, 256))])
def test_generate_is_bounded_as_well(signatures, shapes):
    label_map, noise_map = (tf.zeros(shape, tf.int32) for shape in shapes)
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"may_have_{MAX_PIXELS}_pixels"):
        signatures["generate"](label_map=label_map, noise=tf.zeros([1, 1, 4]), noise_map=noise_map)
