"""The static page in Chromium, from a plain file server: pictures that the browser draws itself."""

import dataclasses
import io
import json
import shutil
import urllib.parse
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import oasis_tf
from oasis_tf import export
from oasis_tf.images import to_uint8
from oasis_tf.models.generator import Generator
from oasis_tf.random_normals import random_bits, random_normals
from oasis_tf.sampling.noise import Noise, global_noise
from oasis_tf.serving.client import Client
from tests.serving.exporting.toy_generator import toy_generator, toy_info
from tests.serving.page.browser import Editor, chromium
from tests.serving.page.plain_server import ISOLATED, plain_server
from tests.serving.page.test_editor import ids, seed_map, striped, variants

pytest.importorskip("onnx", reason="NO ONNX: the static page is not tested; pip install onnx")
pytest.importorskip("onnxruntime", reason="NO ONNXRUNTIME: the static page is not tested")

from oasis_tf.serving.exporting.web_page import write_web_page

CLASSES = 9
# What Chromium says where there is no graphics card.
NO_CARD = "No available adapters"


@pytest.fixture(scope="module")
def chrome():
    with chromium() as chrome:
        yield chrome


@pytest.fixture(scope="module")
def generator():
    return toy_generator(CLASSES)


@pytest.fixture(scope="module")
def directory(generator, onnxruntime_web, tmp_path_factory):
    # A name that an address has to quote.
    path = tmp_path_factory.mktemp("pages") / "100% mine"
    write_web_page(generator, toy_info(CLASSES, max_pixels=2**15), path, onnxruntime_web)
    return path


@pytest.fixture(scope="module")
def url(directory):
    with plain_server(directory) as url:
        yield url


@pytest.fixture
def editor(chrome, url):
    editor = Editor(chrome, url)
    yield editor
    assert complaints(editor) == []


def complaints(editor):
    return [line for line in editor.console() if NO_CARD not in line]


def expected(generator, label_map, seeds):
    """The picture of a label map (H, W) with the seed of each pixel, uint8 (H, W, 3)."""
    used, noise_map = np.unique(seeds, return_inverse=True)
    vectors, _ = global_noise(used, generator.noise_channels)
    noise = Noise(vectors[None], tf.constant(noise_map.reshape(1, *label_map.shape), tf.int32))
    image = generator(tf.constant(label_map[None], tf.int32), *noise)
    return to_uint8(image)[0].astype(int)


def drawn(editor):
    return editor.pixels("#picture")[..., :3].astype(int)


def scene(editor):
    """The label map on screen and the seed of each pixel."""
    return ids(editor), seed_map(json.loads(editor.download("#save")))


def test_a_picture_is_that_of_the_seed(editor, generator):
    assert "9 classes · WebAssembly, 1 thread" in editor.find("#model").text
    editor.drag("#labels", (20, 30), (90, 30))
    editor.wait_for_drawing(1)
    label_map, seeds = scene(editor)
    assert len(np.unique(label_map)) == 2 and len(np.unique(seeds)) == 1
    right = expected(generator, label_map, seeds)
    assert right.std() > 1
    assert np.abs(drawn(editor) - right).max() <= 1


# Pairs as in tests/test_random_normals.py: words that are carried over, and beyond 2^53.
PAIRS = [[0, 0], [1, 2], [2**31 - 1, (1 << 60) + 5], [65535, 0], [2**64 - 1, 2**64 - 1]]
IMPORT = "const [pairs, count, done] = arguments; import('./page/random_normals.js').then((js) => "
WORDS = "([[a, b], [c, d]]) => "


def words(pairs):
    return [[[number % 2**32, number >> 32] for number in pair] for pair in pairs]


def test_bits_are_the_same(chrome, url):
    chrome.get(url)
    script = (
        IMPORT + f"done(pairs.map({WORDS} Array.from({{length: count}}, "
        "(_, i) => js.philox([i, 0, c, d], [a, b])))))"
    )
    blocks = chrome.execute_async_script(script, words(PAIRS), 16)
    right = random_bits(tf.constant(np.array(PAIRS, np.uint64).view(np.int64)), 64)
    np.testing.assert_array_equal(np.array(blocks, np.uint64).reshape(len(PAIRS), 64), right)


@pytest.mark.parametrize("count", [1, 3, 64])
def test_normals_are_the_same(chrome, url, count):
    chrome.get(url)
    pairs = PAIRS + [[seed, 0] for seed in range(2000)]
    script = IMPORT + f"done(pairs.map({WORDS} [...js.randomNormals([a, b], [c, d], count)])))"
    numbers = np.array(chrome.execute_async_script(script, words(pairs), count), np.float32)
    right = random_normals(tf.constant(np.array(pairs, np.uint64).view(np.int64)), count)
    np.testing.assert_array_equal(numbers, right)


@pytest.mark.slow
def test_the_picture_is_that_of_the_server(editor, painter):
    editor.drag("#labels", (20, 30), (90, 30))
    editor.wait_for_drawing(1)
    label_map, seeds = scene(editor)
    picture = Client(painter.url, "painter").synthesize(label_map, seed=seeds[0, 0])
    assert np.abs(drawn(editor) - picture).max() <= 1


@pytest.mark.slow
def test_a_class_and_a_region_are_drawn_anew(editor, generator, tmp_path):
    path, label_map = striped(tmp_path)
    editor.upload(path)
    editor.wait_for_drawing(1)
    np.testing.assert_array_equal(ids(editor), label_map)
    before = drawn(editor)
    editor.drag("#mask", (20, 15))
    editor.wait_for_drawing(2)
    _, seeds = scene(editor)
    assert len(np.unique(seeds)) == 2
    after = drawn(editor)
    assert np.abs(after - expected(generator, label_map, seeds)).max() <= 1
    difference = np.abs(after - before).max(axis=(0, 2))
    assert difference[:64].max() > 10
    # Farther than the network looks nothing has changed at all.
    assert (difference[-512:] == 0).all()

    editor.click("[data-pick=region]")
    editor.drag("#mask", (800, 15), (820, 15))
    editor.wait_for_drawing(3)
    _, seeds = scene(editor)
    assert len(np.unique(seeds)) == 3
    assert np.abs(drawn(editor) - expected(generator, label_map, seeds)).max() <= 1


@pytest.mark.slow
def test_variants_and_downloads(editor, tmp_path):
    editor.click("#generate")
    editor.wait_for_drawing(1)
    first = editor.pixels("#picture")
    editor.click("#all")
    editor.wait_for_drawing(2)
    second = editor.pixels("#picture")
    assert not np.array_equal(first, second)
    editor.click("#variants li:first-child .thumb")
    editor.wait_for_picture(first)
    editor.keys(">")
    editor.wait_for_picture(second)
    assert variants(editor) == 2
    picture = np.array(Image.open(io.BytesIO(editor.download("#save-picture"))))
    np.testing.assert_array_equal(picture, second[..., :3])

    state = tmp_path / "state.json"
    state.write_bytes(editor.download("#save"))
    assert json.loads(state.read_text())["model"] == "100% mine"
    editor.chrome.refresh()
    editor.wait("ready")
    editor.upload(state)
    editor.wait_for_drawing(1)
    np.testing.assert_array_equal(editor.pixels("#picture"), second)


@pytest.mark.slow
def test_the_demo_is_quick(chrome, onnxruntime_web, tmp_path):
    """From the model that is in git, by the command, to the same picture in half a second."""
    demo, page = Path(__file__).parents[3] / "saved_models" / "demo", tmp_path / "demo"
    flags = ["--model", demo, "--out", page, "--format", "web"]
    assert export.main([*map(str, flags), "--onnxruntime_web", str(onnxruntime_web)]) == 0
    with plain_server(page) as url:
        editor = Editor(chrome, url)
        editor.drag("#labels", (10, 30), (50, 30))
        editor.wait_for_drawing(1)
        seconds = []
        for count in (2, 3, 4):
            editor.click("#all")
            editor.wait_for_drawing(count)
            seconds.append(float(editor.find("#status").text.split()[2]))
        assert min(seconds) < 0.5
        shown = editor.pixels("#labels")[..., :3].astype(int)
        model = oasis_tf.load(demo)
        palette = np.array(model.palette, int)
        label_map = np.argmin(np.abs(shown[:, :, None] - palette).sum(-1), axis=-1)
        seed = seed_map(json.loads(editor.download("#save")))[0, 0]
        (picture,) = model.synthesize(label_map, seed=int(seed))
        assert picture.std() > 10
        assert np.abs(drawn(editor) - picture).max() <= 1
        assert complaints(editor) == []


@pytest.mark.slow
def test_threads_where_the_page_is_isolated(chrome, directory, generator):
    # Below a path, too.
    with plain_server(directory.parent, **ISOLATED) as url:
        editor = Editor(chrome, f"{url}{urllib.parse.quote(directory.name)}/")
        cores = chrome.execute_script("return navigator.hardwareConcurrency")
        assert f"WebAssembly, {min(cores, 8)} thread" in editor.find("#model").text
        editor.click("#generate")
        editor.wait_for_drawing(1)
        assert np.abs(drawn(editor) - expected(generator, *scene(editor))).max() <= 1
        assert complaints(editor) == []


@pytest.mark.slow
def test_nothing_is_asked_of_another_host(directory, tmp_path):
    log = tmp_path / "net.json"  # also of what the worker asks for
    with plain_server(directory) as url:
        with chromium(flags=[f"--log-net-log={log}"]) as chrome:
            editor = Editor(chrome, url)
            editor.click("#generate")
            editor.wait_for_drawing(1)
        asked = {
            event["params"]["url"].removeprefix(url)
            for event in json.loads(log.read_text())["events"]
            # Others are the browser's own.
            if f"{event.get('params', {}).get('initiator')}/" == url
        }
    assert {"page/local_worker.js", "model/100%25%20mine.onnx"} < asked
    assert "onnxruntime_web/ort-wasm-simd-threaded.wasm" in asked
    assert not [address for address in asked if ":" in address]


@pytest.fixture
def spoilt(directory, tmp_path):
    """A copy of the page, to be spoilt."""
    return shutil.copytree(directory, tmp_path / "page")


# A graphics card that the processor plays.
SOFTWARE_CARD = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]


@pytest.mark.slow
@pytest.mark.parametrize("whole", [True, False])
def test_the_graphics_card_draws_the_same(onnxruntime_web, tmp_path, whole):
    # onnxruntime-web 1.30.0 computes a wrong convolution of six channels with WebGPU, which the toy
    # has; models of real widths have none.
    generator = Generator(CLASSES, base_channels=1, noise_channels=4, hidden=8, gain=1.0)
    info = toy_info(CLASSES)
    info = dataclasses.replace(info, config=dataclasses.replace(info.config, spade_channels=8))
    directory = tmp_path / "page"
    write_web_page(generator, info, directory, onnxruntime_web)
    worker = directory / "page" / "local_worker.js"
    real = worker.read_text()
    worker.write_text(real.replace("!adapter.info?.isFallbackAdapter", "true"))
    assert worker.read_text() != real
    if not whole:
        (directory / "onnxruntime_web/ort.webgpu.js").write_text("throw new Error('no use')")
    with plain_server(directory) as url, chromium(flags=SOFTWARE_CARD, gpu=True) as chrome:
        editor = Editor(chrome, url)
        assert ("WebGPU" if whole else "WebAssembly") in editor.find("#model").text
        editor.click("#generate")
        editor.wait_for_drawing(1)
        assert np.abs(drawn(editor) - expected(generator, *scene(editor))).max() <= 1
        assert any("WebGPU is not used: no use" in line for line in editor.console()) is not whole


# ---- what may be wrong


def told(chrome, directory):
    """The error that the page shows at its start."""
    with plain_server(directory) as url:
        editor = Editor(chrome, url, expected="error")
        text = editor.error()
        editor.console()
        assert not editor.find("#notice").is_displayed()
        assert editor.find("main").get_attribute("inert") is not None
        return text


def test_no_webassembly(chrome, directory):
    source = {"source": "delete window.WebAssembly"}
    added = chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", source)
    try:
        assert "This browser has no WebAssembly" in told(chrome, directory)
    finally:
        chrome.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


@pytest.mark.parametrize(
    "name, message",
    [
        ("model/model.json", "model/model.json beside this page cannot be read: HTTP 404"),
        ("model/100% mine.onnx", "its file 100% mine.onnx cannot be read (HTTP 404)"),
        ("onnxruntime_web/ort.wasm.js", "ort.wasm.js"),
        ("onnxruntime_web/ort-wasm-simd-threaded.wasm", "threaded.wasm, or the model"),
        ("page/local_worker.js", "its program cannot be loaded"),
    ],
)
def test_a_file_is_missing(chrome, spoilt, name, message):
    (spoilt / name).unlink()
    assert message in told(chrome, spoilt)


def test_a_model_that_is_cut_short(chrome, spoilt):
    (path,) = (spoilt / "model").glob("*.onnx")
    path.write_bytes(path.read_bytes()[:-1])
    assert "is cut short" in told(chrome, spoilt)


@pytest.mark.slow
def test_a_browser_that_draws_another_picture(chrome, spoilt):
    path = spoilt / "model" / "model.json"
    content = json.loads(path.read_text())
    content["check"]["colours"][5] = (content["check"]["colours"][5] + 100) % 256
    path.write_text(json.dumps(content))
    assert "draws another picture than the computer" in told(chrome, spoilt)


def test_opened_as_a_file(chrome, directory):
    chrome.get((directory / "index.html").as_uri())
    stuck = chrome.find_element("css selector", "#stuck")
    assert "must come from a web server" in stuck.get_attribute("textContent")
    (animation,) = chrome.execute_script(
        "return document.getElementById('stuck').getAnimations().map((a) => "
        "(a.finish(), getComputedStyle(document.getElementById('stuck')).visibility))"
    )
    assert animation == "visible"
    chrome.get_log("browser")


@pytest.mark.slow
def test_after_an_error_it_draws_on(chrome, spoilt, generator):
    """A class that the model has not, which its description claims."""
    path = spoilt / "model" / "model.json"
    content = json.loads(path.read_text())
    content["num_classes"] += 1
    content["class_names"].append("one too many")
    content["palette"].append([255, 255, 255])
    path.write_text(json.dumps(content))
    with plain_server(spoilt) as url:
        editor = Editor(chrome, url)
        editor.click("#classes li:last-child")
        editor.drag("#labels", (20, 30))
        editor.wait("error")
        assert "The picture cannot be drawn in this browser: " in editor.error()
        editor.click("#undo")
        editor.wait_for_drawing(1)
        assert editor.error() == ""
        assert np.abs(drawn(editor) - expected(generator, *scene(editor))).max() <= 1
        editor.console()
