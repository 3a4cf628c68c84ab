"""The editor as a person uses it, in Chromium, with an exported toy model behind it."""

import base64
import io
import json
import shutil
import time

import numpy as np
import pytest
from PIL import Image

from data_pipeline.records.png import encode_label_map
from oasis_tf.serving.client import Client
from oasis_tf.serving.exporting.export_model import export_model
from oasis_tf.serving.warmup import WARMUP_FILE
from tests.serving.below_a_path import below_a_path
from tests.serving.exporting.toy_generator import toy_generator, toy_info
from tests.serving.page.browser import Editor, chromium, resize
from tests.serving.running import serving
from tests.serving.server.toy_model import save_toy_model

CLASSES = 9
PALETTE = np.array(toy_info(CLASSES).legend.palette, np.uint8)


@pytest.fixture(scope="module")
def chrome():
    with chromium() as chrome:
        yield chrome


@pytest.fixture
def editor(chrome, painter):
    editor = Editor(chrome, painter.url)
    yield editor
    complaints = [line for line in editor.console() if " 400 " not in line]
    assert complaints == []


def ids(editor):
    """The label map on screen: int (H, W)."""
    shown = editor.pixels("#labels")[..., :3].astype(int)
    return np.argmin(np.abs(shown[:, :, None] - PALETTE.astype(int)).sum(-1), axis=-1)


def seed_map(state):
    """The seed of each pixel in a saved state."""
    return np.array(Image.open(io.BytesIO(base64.b64decode(state["seed_map"]))))


def variants(editor):
    return len(editor.all("#variants li"))


def generate(editor):
    editor.click("#generate")
    editor.wait("ready")


def test_paint_and_generate(editor):
    assert len(editor.all("#classes li")) == CLASSES
    assert ids(editor).shape == (64, 128) and (ids(editor) == 0).all()
    editor.drag("#labels", (20, 30), (90, 30))
    painted = ids(editor)
    assert set(np.unique(painted)) == {0, 1}
    # A brush of 8 pixels on the way from 20 to 90.
    assert painted[30, 20:91].all() and painted[27:34, 50].all()
    assert not painted[:25].any() and not painted[30, 110:].any()
    editor.wait("ready")
    assert variants(editor) == 1
    assert editor.pixels("#picture")[..., :3].std() > 1
    assert "Drawn in" in editor.find("#status").text


def test_the_picture_is_that_of_the_client(editor, painter):
    editor.drag("#labels", (20, 30), (90, 30))
    editor.wait("ready")
    state = json.loads(editor.download("#save"))
    (seed,) = np.unique(seed_map(state))
    picture = Client(painter.url, "painter").synthesize(ids(editor), seed=seed)
    np.testing.assert_array_equal(editor.pixels("#picture")[..., :3], picture)


def test_tools_undo_and_redo(editor):
    editor.click("#live")
    editor.click("#classes li:nth-child(4)")
    editor.click("[data-tool=rectangle]")
    editor.drag("#labels", (10, 10), (40, 40), (29, 19))
    expected = np.zeros((64, 128), int)
    expected[10:20, 10:30] = 3
    np.testing.assert_array_equal(ids(editor), expected)

    editor.keys("f")
    editor.click("#classes li:nth-child(6)")
    editor.drag("#labels", (15, 15), (80, 50))
    expected[10:20, 10:30] = 5
    np.testing.assert_array_equal(ids(editor), expected)

    editor.keys("p")
    editor.drag("#labels", (80, 50))
    assert editor.find("#chosen b").text == "unlabelled"
    editor.drag("#labels", (20, 15))
    assert editor.find("#chosen b").text == "class 5"

    editor.click("#undo")
    assert set(np.unique(ids(editor))) == {0, 3}
    editor.click("#undo")
    assert not ids(editor).any()
    assert not editor.find("#undo").is_enabled()
    editor.click("#redo")
    editor.click("#redo")
    np.testing.assert_array_equal(ids(editor), expected)
    assert not editor.find("#redo").is_enabled()
    assert variants(editor) == 0


def test_classes_are_searched(editor):
    from selenium.webdriver.common.keys import Keys

    editor.click("#live")
    editor.keys("/")
    editor.keys("CLASS 7", on="#search")
    visible = [row.text for row in editor.all("#classes li") if row.is_displayed()]
    assert visible == ["class 7"]
    editor.keys(Keys.ENTER, on="#search")
    assert editor.find("#chosen b").text == "class 7"
    # Enter leads to the label map; Space paints at its cursor, in the middle.
    assert editor.chrome.switch_to.active_element.get_attribute("id") == "labels"
    editor.keys(Keys.SPACE, on="#labels")
    assert ids(editor)[32, 64] == 7
    editor.keys("1")
    assert editor.find("#chosen b").text == "class 7"
    editor.keys("2")
    assert editor.find("#chosen b").text == "class 1"
    editor.click("#search")
    editor.keys(Keys.ESCAPE, on="#search")
    editor.click("#used")
    visible = [row.text.split("\n")[0] for row in editor.all("#classes li") if row.is_displayed()]
    assert visible == ["unlabelled", "class 7"]


def striped(tmp_path):
    """A wide label map: class 1, a far way of others, class 2."""
    label_map = np.full((32, 832), 3)
    label_map[:, :64], label_map[:, -64:] = 1, 2
    label_map[16:, 300:400] = 4
    path = tmp_path / "striped.png"
    path.write_bytes(encode_label_map(label_map))
    return path, label_map


def test_one_class_is_drawn_anew_and_only_it_changes(editor, tmp_path):
    path, label_map = striped(tmp_path)
    editor.upload(path)
    editor.wait_for_drawing(1)
    np.testing.assert_array_equal(ids(editor), label_map)
    before = editor.pixels("#picture").astype(int)

    editor.drag("#mask", (20, 15))
    editor.wait("ready")
    assert variants(editor) == 2
    after = editor.pixels("#picture").astype(int)
    difference = np.abs(after - before).max(axis=(0, 2))
    assert difference[:64].max() > 10
    # Farther than the network looks nothing has changed at all.
    assert (difference[-512:] == 0).all()

    editor.click("#again")
    editor.wait("ready")
    third = editor.pixels("#picture").astype(int)
    assert np.abs(third - after)[:, :64].max() > 10
    assert (third[:, -512:] == before[:, -512:]).all()

    editor.click("#undo")
    editor.click("#undo")
    editor.wait_for_picture(before)
    state = json.loads(editor.download("#save"))
    assert len(np.unique(seed_map(state))) == 1


def test_a_brushed_region_is_drawn_anew(editor, tmp_path):
    path, _ = striped(tmp_path)
    editor.upload(path)
    editor.wait_for_drawing(1)
    before = editor.pixels("#picture").astype(int)
    editor.click("[data-pick=region]")
    editor.drag("#mask", (800, 15), (820, 15))
    editor.wait("ready")
    difference = np.abs(editor.pixels("#picture").astype(int) - before).max(axis=(0, 2))
    assert difference[-40:].max() > 2  # of a small region, whose new seed is any
    assert (difference[:512] == 0).all()
    assert not editor.pixels("#mask").any()
    state = json.loads(editor.download("#save"))
    assert len(np.unique(seed_map(state))) == 2

    editor.click("#all")
    editor.wait("ready")
    difference = np.abs(editor.pixels("#picture").astype(int) - before).max(axis=(0, 2))
    assert difference[:64].max() > 10 and difference[-64:].max() > 10
    assert len(np.unique(seed_map(json.loads(editor.download("#save"))))) == 1


def test_variants_and_comparison(editor):
    generate(editor)
    first = editor.pixels("#picture")
    editor.click("#all")
    editor.wait("ready")
    second = editor.pixels("#picture")
    assert not np.array_equal(first, second)
    editor.keys("v")
    editor.wait_until_shown("#slider")
    np.testing.assert_array_equal(editor.pixels("#other"), first)
    editor.chrome.execute_script(
        "const s = document.getElementById('slider'); s.value = 250;"
        "s.dispatchEvent(new Event('input'))"
    )
    clip = editor.chrome.execute_script(
        "return getComputedStyle(document.getElementById('other')).clipPath"
    )
    assert "75%" in clip
    editor.keys("v")
    assert not editor.find("#slider").is_displayed()
    editor.click("#variants li:first-child .thumb")
    editor.wait_for_picture(first)
    editor.keys(">")
    editor.wait_for_picture(second)
    assert variants(editor) == 2


def test_what_is_downloaded_can_be_opened_again(editor, tmp_path):
    path, label_map = striped(tmp_path)
    editor.upload(path)
    editor.wait_for_drawing(1)
    editor.drag("#mask", (20, 15))
    editor.wait("ready")
    shown = editor.pixels("#picture")
    picture = np.array(Image.open(io.BytesIO(editor.download("#save-picture"))))
    np.testing.assert_array_equal(picture, shown[..., :3])
    labels = np.array(Image.open(io.BytesIO(editor.download("#save-labels"))))
    np.testing.assert_array_equal(labels, label_map)

    state = tmp_path / "state.json"
    state.write_bytes(editor.download("#save"))
    editor.chrome.refresh()
    editor.wait("ready")
    editor.upload(state)
    editor.wait_for_drawing(1)
    np.testing.assert_array_equal(ids(editor), label_map)
    np.testing.assert_array_equal(editor.pixels("#picture"), shown)


def save(tmp_path, picture):
    path = tmp_path / "labels.png"
    picture.save(path)
    return path


@pytest.mark.parametrize("kind", ["grey", "16 bits", "palette", "greys", "colours", "few bits"])
def test_label_maps_of_every_kind(editor, tmp_path, kind):
    rng = np.random.default_rng(0)
    few = kind == "few bits"
    label_map = rng.integers(0, 2 if few else CLASSES, (32, 64)).astype(np.uint8)
    if kind == "grey":
        picture = Image.fromarray(label_map)
    elif kind == "16 bits":
        picture = Image.fromarray(label_map.astype(np.uint16))
    elif kind == "colours":
        picture = Image.fromarray(PALETTE[label_map])
    elif few:
        picture = Image.fromarray(label_map.astype(bool))
    else:
        picture = Image.fromarray(label_map).convert("P")
        # The model's colours in another order, or greys.
        order = rng.permutation(CLASSES)
        colours = PALETTE[order] if kind == "palette" else order.repeat(3).astype(np.uint8)
        picture.putpalette(colours.tobytes())
        label_map = order[label_map]
    editor.click("#live")
    editor.upload(save(tmp_path, picture))
    while ids(editor).shape != label_map.shape:
        time.sleep(0.02)
    np.testing.assert_array_equal(ids(editor), label_map)


def test_another_size_is_made_to_fit(editor, tmp_path):
    label_map = np.zeros((50, 100), np.uint8)
    label_map[:, 50:] = 2
    editor.upload(save(tmp_path, Image.fromarray(label_map)))
    editor.wait_for_drawing(1)
    expected = np.zeros((64, 96), int)
    expected[:, 48:] = 2
    np.testing.assert_array_equal(ids(editor), expected)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"text", "no PNG"),
        (b"{}", "no saved state"),
        (b"{", "damaged"),
        (encode_label_map(np.full((32, 32), 700)), "id 700"),
        (encode_label_map(np.zeros((32, 32)))[:50], "damaged"),
    ],
)
def test_files_that_cannot_be_opened(editor, tmp_path, content, message):
    path = tmp_path / "file.png"
    path.write_bytes(content)
    editor.upload(path)
    editor.wait("error")
    assert message in editor.error()
    editor.click("#error-close")
    assert editor.error() == ""
    generate(editor)


def test_a_strange_colour(editor, tmp_path):
    editor.upload(save(tmp_path, Image.new("RGB", (32, 32), (1, 2, 3))))
    editor.wait("error")
    assert "(1, 2, 3)" in editor.error()


def test_a_server_that_is_away(editor):
    conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    editor.chrome.execute_cdp_cmd("Network.enable", {})
    editor.chrome.execute_cdp_cmd(
        "Network.emulateNetworkConditions", {"offline": True, **conditions}
    )
    editor.click("#generate")
    editor.wait("error")
    assert "cannot be reached" in editor.error()
    editor.chrome.execute_cdp_cmd(
        "Network.emulateNetworkConditions", {"offline": False, **conditions}
    )
    generate(editor)
    assert editor.error() == ""
    editor.console()


def test_a_new_label_map(editor):
    editor.keys("n")
    for field, value in (("#new-width", "96"), ("#new-height", "32")):
        editor.find(field).clear()
        editor.keys(value, on=field)
    editor.click("#new-dialog .primary")
    editor.wait_for_size(32, 96)
    assert (ids(editor) == 1).all()


def test_a_size_the_model_refuses(editor):
    editor.keys("n")
    editor.find("#new-width").clear()
    editor.keys("3200", on="#new-width")
    editor.click("#new-dialog .primary")
    editor.wait("error")
    assert "too large" in editor.error()


def test_nothing_comes_from_elsewhere(editor, painter):
    generate(editor)
    names = editor.chrome.execute_script(
        "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    )
    assert len(names) > 10
    assert all(name.startswith(painter.url + "/") for name in names)


@pytest.mark.slow
def test_a_model_that_was_not_exported_for_it(chrome, tmp_path):
    save_toy_model(tmp_path / "other/1")
    with serving(tmp_path / "other", tmp_path, model="other") as server:
        editor = Editor(chrome, server.url, expected="error")  # it leads to the server's model
        assert "no signature describe" in editor.error()


@pytest.mark.slow
def test_as_many_classes_as_lvis_has(chrome, tmp_path):
    from selenium.webdriver.common.keys import Keys

    base = tmp_path / "wide"
    export_model(toy_generator(1204), toy_info(1204), base)
    (base / "1" / WARMUP_FILE).unlink()
    with serving(base, tmp_path, model="wide") as server:
        editor = Editor(chrome, server.url)
        assert len(editor.all("#classes li")) == 1204
        editor.keys("/")
        editor.keys("class 1203", on="#search")
        shown = [row.text for row in editor.all("#classes li") if row.is_displayed()]
        assert shown == ["class 1203"]
        editor.keys(Keys.ENTER, on="#search")
        editor.drag("#labels", (20, 30), (90, 30))
        editor.wait("ready")
        label_map = Image.open(io.BytesIO(editor.download("#save-labels")))
        assert sorted(np.unique(np.array(label_map))) == [0, 1203]
        assert editor.console() == []


@pytest.fixture
def fingers(editor):
    """Calls `touch(kind, (finger, x, y), ...)` on a canvas; x and y in pixels of the label map."""
    chrome = editor.chrome
    chrome.execute_cdp_cmd(
        "Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 5}
    )

    def touch(kind, *points, canvas="#labels"):
        left, top, scale = chrome.execute_script(
            "const c = document.querySelector(arguments[0]), r = c.getBoundingClientRect();"
            "return [r.left, r.top, r.width / c.width]",
            canvas,
        )
        places = [
            {"id": i, "x": left + (x + 0.5) * scale, "y": top + (y + 0.5) * scale}
            for i, x, y in points
        ]
        chrome.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    yield touch
    chrome.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_a_palm_during_a_stroke_paints_nothing(editor, fingers):
    editor.click("#live")
    fingers("touchStart", (0, 10, 10))
    fingers("touchMove", (0, 50, 10))
    fingers("touchStart", (0, 50, 10), (1, 20, 55))
    for x in (70, 90):
        fingers("touchMove", (0, x, 10), (1, 20, 55 - x // 10))
    fingers("touchEnd", (1, 20, 46))  # the finger leaves, the palm stays
    fingers("touchMove", (1, 30, 46))
    fingers("touchEnd")
    painted = ids(editor)
    # The stroke goes on to where the finger left, and nothing is painted elsewhere.
    assert painted[10, 10:91].all() and not painted[16:].any() and not painted[:, 96:].any()
    assert editor.find("#undo").is_enabled()


def test_a_pen_paints_beside_a_palm(editor, fingers):
    editor.click("#live")
    rect = editor.chrome.execute_script(
        "const r = document.querySelector('#labels').getBoundingClientRect();"
        "return [r.left, r.top, r.width / 128]"
    )

    def pen(kind, x, y):
        left, top, scale = rect
        place = {"x": left + (x + 0.5) * scale, "y": top + (y + 0.5) * scale}
        editor.chrome.execute_cdp_cmd(
            "Input.dispatchMouseEvent",
            {"type": kind, "button": "left", "clickCount": 1, "pointerType": "pen", **place},
        )

    fingers("touchStart", (0, 20, 55))
    pen("mousePressed", 10, 10)
    pen("mouseMoved", 60, 10)
    pen("mouseReleased", 90, 10)
    fingers("touchEnd")
    painted = ids(editor)
    assert painted[10, 10:91].all() and not painted[16:].any()


@pytest.mark.parametrize("tool", ["brush", "fill", "rectangle", "pick"])
def test_a_pinch_paints_nothing(editor, fingers, tool):
    editor.click("#live")
    editor.click(f"[data-tool={tool}]")
    fingers("touchStart", (0, 40, 30))
    fingers("touchStart", (0, 40, 30), (1, 80, 30))
    fingers("touchMove", (0, 20, 30), (1, 100, 30))
    fingers("touchEnd", (0, 20, 30))
    fingers("touchMove", (0, 10, 20))
    fingers("touchEnd")
    assert not ids(editor).any() and not editor.find("#undo").is_enabled()
    assert editor.find("#chosen b").text == "class 1"
    # With all fingers gone the next one paints.
    editor.click("[data-tool=brush]")
    fingers("touchStart", (2, 40, 30))
    fingers("touchEnd")
    assert ids(editor)[30, 40] == 1


@pytest.mark.parametrize("pick", ["class", "region"])
def test_a_pinch_on_the_picture_draws_nothing_anew(editor, fingers, pick):
    generate(editor)
    editor.click(f"[data-pick={pick}]")
    fingers("touchStart", (0, 40, 30), canvas="#mask")
    fingers("touchStart", (0, 40, 30), (1, 80, 30), canvas="#mask")
    fingers("touchMove", (0, 20, 30), (1, 100, 30), canvas="#mask")
    fingers("touchEnd", canvas="#mask")
    assert not editor.find("#again").is_enabled() and variants(editor) == 1
    assert not editor.pixels("#mask").any()
    fingers("touchStart", (2, 40, 30), canvas="#mask")
    fingers("touchEnd", canvas="#mask")
    editor.wait_for_drawing(2)


def a_state(tmp_path, label_map, **fields):
    """A saved state: the path of its file."""

    def text(numbers):
        return base64.b64encode(encode_label_map(numbers)).decode()

    height, width = label_map.shape
    content = {
        "format": "oasis-editor-state",
        "model": "other",
        "width": width,
        "height": height,
        "label_map": text(label_map),
        "seed_map": text(np.full_like(label_map, 5)),
        **fields,
    }
    path = tmp_path / "state.json"
    path.write_text(json.dumps(content))
    return path


def test_a_state_is_mapped_by_the_names_of_its_classes(editor, tmp_path):
    editor.click("#live")
    label_map = np.repeat(np.arange(4), 16)[None].repeat(32, 0)
    names = ["void", "Class 7", "balloon", "class 2", "bird"]
    editor.upload(a_state(tmp_path, label_map, class_names=names))
    editor.wait_until_shown("#notice")
    notice = editor.find("#notice-text").text
    assert "Saved for the model other. painter has not these classes" in notice
    # Only classes that the label map has are named.
    assert notice.endswith(": balloon.")
    np.testing.assert_array_equal(ids(editor), np.array([0, 7, 0, 2])[label_map])
    editor.click("#notice-close")
    assert not editor.find("#notice").is_displayed()
    state = json.loads(editor.download("#save"))
    assert state["class_names"] == list(toy_info(CLASSES).legend.class_names)
    assert state["model"] == "painter" and (seed_map(state) == 5).all()


def test_a_state_without_names_of_classes(editor, tmp_path):
    editor.click("#live")
    label_map = np.full((32, 64), 3)
    editor.upload(a_state(tmp_path, label_map))
    editor.wait_until_shown("#notice")
    assert "Saved for the model other, without the names" in editor.find("#notice-text").text
    np.testing.assert_array_equal(ids(editor), label_map)
    editor.upload(a_state(tmp_path, label_map + 20, class_names=["void", "sky"]))
    editor.wait("error")
    assert "the id 23; its classes end at 1" in editor.error()


def test_everything_fits_on_a_phone(editor):
    resize(editor.chrome, 390, 844)
    try:
        editor.drag("#labels", (20, 30), (90, 30))
        editor.wait("ready")
        assert ids(editor)[30, 20:91].all()
        width = editor.chrome.execute_script("return document.documentElement.scrollWidth")
        assert width == 390
        shown = [b for b in editor.all("button") if b.is_displayed()]
        assert {"save-picture", "save-labels", "again", "redo", "help"} <= {
            button.get_attribute("id") for button in shown
        }
        for button in shown:
            rect = button.rect
            assert rect["x"] >= 0 and rect["x"] + rect["width"] <= 390, button.text
        # The list of classes is folded away, and folds again when one is chosen.
        assert not editor.find("#classes").is_displayed()
        editor.click("#fold")
        editor.click("#classes li:nth-child(4)")
        assert not editor.find("#classes").is_displayed()
        assert editor.find("#chosen b").text == "class 3"
        assert editor.download("#save-labels").startswith(b"\x89PNG")
    finally:
        resize(editor.chrome, 1366, 768)


def test_below_a_path(chrome, painter):
    with below_a_path(painter.url) as url:
        editor = Editor(chrome, url)
        assert chrome.current_url == f"{url}?model=painter"
        generate(editor)
        assert variants(editor) == 1 and editor.console() == []


@pytest.mark.slow
def test_the_page_waits_for_the_model(chrome, exported, tmp_path):
    base = tmp_path / "painter"
    base.mkdir()
    shutil.copytree(exported, tmp_path / "copy")
    (tmp_path / "copy" / WARMUP_FILE).unlink()
    with serving(base, tmp_path, model="painter", wait=False) as server:
        editor = Editor(chrome, server.url, expected="waiting")
        editor.wait_until_shown("#notice")
        assert "asks again by itself" in editor.find("#notice-text").text
        (tmp_path / "copy").rename(base / "1")
        editor.wait("ready")
        assert not editor.find("#notice").is_displayed()
        generate(editor)
        assert variants(editor) == 1
        editor.console()
        # Told to the person who started the server, too.
        server.process.terminate()
        lines = server.process.stdout.read().splitlines()
        assert any(line.startswith("waiting ") and f"{base} is empty" in line for line in lines)
        assert any(line.startswith("ready     version 1, loaded in ") for line in lines)


# A server that is loading the model at the first two questions; what the page says meanwhile.
LOADING = """
const real = window.fetch;
let questions = 0;
window.said = new Set();
window.fetch = (path, options) => {
  const answer = async (content, status) => new Response(JSON.stringify(content), {status});
  if (path.endsWith("/metadata") && questions++ < 2) return answer({error: "none is loaded"}, 404);
  if (path.endsWith("/painter")) {
    window.said.add(document.getElementById("notice-text").textContent);
    return answer({model_version_status: [{version: "1", state: "LOADING"}]}, 200);
  }
  return real(path, options);
};
"""


@pytest.mark.slow
def test_the_page_says_that_the_model_is_loading(chrome, painter):
    added = chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LOADING})
    try:
        editor = Editor(chrome, painter.url)
        said = chrome.execute_script("return [...window.said]")
        assert said == ["", "The model is loading. This page asks again by itself."]
        assert not editor.find("#notice").is_displayed()
        assert editor.console() == []
    finally:
        chrome.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
