"""A model whose data set's files have other ids than ours: a label PNG means one thing to all."""

import io
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from data_pipeline.labels.label_files import read_label_map
from data_pipeline.labels.model_png import encode_for_model
from oasis_tf.images import to_uint8
from oasis_tf.sampling.loading import load
from oasis_tf.sampling.noise import global_noise
from oasis_tf.serving.client import Client
from oasis_tf.serving.exporting.export_model import export_model
from oasis_tf.serving.warmup import WARMUP_FILE
from tests.serving.exporting.toy_generator import toy_generator, toy_info
from tests.serving.page.browser import Editor, chromium
from tests.serving.running import serving_here

# As of a folder whose last class is the unlabelled one.
LABEL_IDS = {0: 1, 1: 2, 2: 3, 3: 4, 4: 0}
OURS = np.arange(5).repeat(32 * 128 // 5 + 1)[: 32 * 128].reshape(32, 128)
IN_FILES = np.array([4, 0, 1, 2, 3])[OURS]


@pytest.fixture(scope="module")
def generator():
    return toy_generator()


@pytest.fixture(scope="module")
def version(generator, tmp_path_factory):
    base = tmp_path_factory.mktemp("models") / "shifted"
    version = export_model(generator, toy_info(label_ids=LABEL_IDS), base)
    shutil.copy(version / WARMUP_FILE, base.parent / "warmup")
    (version / WARMUP_FILE).unlink()
    return version


@pytest.fixture(scope="module")
def server(version):
    with serving_here(version.parent, "shifted") as running:
        yield running


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("labels") / "labels.png"
    Image.fromarray(IN_FILES.astype(np.uint8)).save(path)
    return path


def drawn(generator, label_map, seed):
    return to_uint8(generator(tf.constant(label_map[None], tf.int32), *global_noise([seed], 4)))[0]


def close(a, b):
    """Pictures that differ by rounding at most."""
    return a.shape == b.shape and np.abs(np.int32(a) - np.int32(b)).max() <= 1


@pytest.mark.slow
def test_commands_signatures_and_client(generator, version, server, file):
    right = drawn(generator, OURS, 3)
    assert not close(right, drawn(generator, IN_FILES, 3))

    synthesizer = load(version)
    label_map = read_label_map(file, synthesizer.legend)
    np.testing.assert_array_equal(label_map, OURS)
    (picture,) = synthesizer.synthesize(label_map, seed=3)
    assert close(picture, right)
    # The edited picture goes through the signature that takes files.
    mask = np.zeros(OURS.shape, bool)
    mask[:9, :7] = True
    edited = synthesizer.edit(label_map, mask=mask, to_class="class 2", seed=3)
    assert close(edited.images[0], drawn(generator, np.where(mask, 2, OURS), 3))

    client = Client(server.url, "shifted")
    inputs = {"label_map_bytes": [file.read_bytes()], "seed": [3]}
    answer = client.predict(inputs, signature="synthesize_png")["image_bytes"][0]
    assert close(np.array(Image.open(io.BytesIO(answer))), right)
    assert close(client.synthesize(OURS, seed=3), right)
    assert close(client.edit(OURS, mask, seed=3, edit_seed=3), right)
    with pytest.raises(
        ValueError, match=r"in 0..4, the model.s classes. Received:\n  id 5: 63 pixels"
    ):
        client.synthesize(np.where(mask, 5, OURS))


@pytest.mark.slow
def test_the_editor(generator, server, file, tmp_path):
    with chromium() as chrome:
        editor = Editor(chrome, server.url)
        editor.upload(file)
        editor.wait_for_drawing(1)
        palette = np.array(toy_info().legend.palette)
        np.testing.assert_array_equal(editor.pixels("#labels")[..., :3], palette[OURS])
        state = json.loads(editor.download("#save"))
        (tmp_path / "state.json").write_text(json.dumps(state))
        picture = Client(server.url, "shifted").synthesize(OURS, seed=seed_of(state))
        np.testing.assert_array_equal(editor.pixels("#picture")[..., :3], picture)
        # What is saved is read as the same classes by the commands.
        saved = tmp_path / "saved.png"
        saved.write_bytes(editor.download("#save-labels"))
        np.testing.assert_array_equal(
            read_label_map(saved, toy_info(label_ids=LABEL_IDS).legend), OURS
        )
        np.testing.assert_array_equal(np.array(Image.open(saved)), IN_FILES)
        editor.upload(tmp_path / "state.json")
        editor.wait_for_drawing(2)
        np.testing.assert_array_equal(editor.pixels("#labels")[..., :3], palette[OURS])


def seed_of(state):
    import base64

    picture = Image.open(io.BytesIO(base64.b64decode(state["seed_map"])))
    (seed,) = np.unique(np.array(picture))
    return seed


def test_what_was_exported_before_is_sent_our_ids():
    """Its `model.json` has `label_ids`, but the graph does not follow them."""
    content = json.loads(toy_info(label_ids=LABEL_IDS).to_json())
    sent = Image.open(io.BytesIO(encode_for_model(OURS, content)))
    np.testing.assert_array_equal(np.array(sent), IN_FILES)
    del content["label_colours"]
    sent = Image.open(io.BytesIO(encode_for_model(OURS, content)))
    np.testing.assert_array_equal(np.array(sent), OURS)
