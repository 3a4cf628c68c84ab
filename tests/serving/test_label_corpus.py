"""The files of the corpus through everybody who reads label maps."""

import base64
import json

import numpy as np
import pytest
import tensorflow as tf

from data_pipeline.build import main
from data_pipeline.errors import DataError
from data_pipeline.labels.label_files import read_label_map
from data_pipeline.labels.legend import Legend
from data_pipeline.records.manifest import Manifest
from oasis_tf.serving.exporting.label_png import decode_ids, read_headers
from oasis_tf.serving.exporting.model_info import ModelInfo
from tests.data_pipeline.helpers import records
from tests.data_pipeline.sources import picture
from tests.label_corpus import CASES, SETTINGS, SIZE
from tests.serving.exporting.toy_generator import toy_info

NAMES = [f"{case.setting}: {case.name}" for case in CASES]

PAGE_RULES = ("not in the model's palette", "grey of its own", "none of the", "without a colour")

# The editor's own reading of a file, in its own page.
READ = """
const [data, model, done] = arguments;
(async () => {
  const { readScene } = await import("./page/files.js");
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const [scene] = await readScene(new File([bytes], "a.png"), model);
  return [scene.width, scene.height, ...scene.ids];
})().then(done, (error) => done(error.message));
"""


def ours(case):
    """The classes of a case: int (H, W)."""
    table = SETTINGS[case.setting].ours
    return np.vectorize(table.get)(case.ids)


def write_set(root, setting, files):
    """A folder data set of label files, {name: PNG bytes}, and those that it always has."""
    labels = root / "labels/val"
    labels.mkdir(parents=True)
    (root / "class_names.json").write_text(json.dumps(setting.classes))
    reference = {f"reference {i}": data for i, data in enumerate(setting.reference)}
    for name, data in {**reference, **files}.items():
        (labels / f"{name}.png").write_bytes(data)
        picture(root / "images/val" / f"{name}.jpg", size=SIZE)
    return root


def run_build(root, setting):
    """Builds it; returns the exit code and the directory."""
    out = root / "records"
    arguments = ["--dataset", "folder", "--source", root, "--out", out, "--workers", 1]
    arguments += ["--image_size", *SIZE, "--split", "val"]
    arguments += ["--unlabelled", setting.unlabelled] if setting.unlabelled else []
    return main([*map(str, arguments)]), out


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """{setting: directory of the records of all its files that `build` must read}."""
    directories = {}
    for key, setting in SETTINGS.items():
        files = {
            case.name: case.data
            for case in CASES
            if case.setting == key and case.ids is not None and "build" not in case.refused_by
        }
        root = write_set(tmp_path_factory.mktemp("corpus") / key, setting, files)
        code, directories[key] = run_build(root, setting)
        assert code == 0
    return directories


@pytest.fixture(scope="module")
def maps(built):
    """{setting: {name: int (H, W)}}, what is in the records."""
    return {
        key: {
            record["name"].numpy().decode(): record["label_map"].numpy()
            for record in records(out, "val")
        }
        for key, out in built.items()
    }


@pytest.fixture(scope="module")
def legends(built):
    return {key: Legend.of(Manifest.read(out)) for key, out in built.items()}


def is_refused(case, reader):
    return case.ids is None or reader in case.refused_by


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_build(case, maps, tmp_path, capsys):
    if not is_refused(case, "build"):
        np.testing.assert_array_equal(maps[case.setting][case.name], ours(case))
        return
    setting = SETTINGS[case.setting]
    good = next(c for c in CASES if c.setting == case.setting and c.name.startswith("palette of g"))
    files = {"bad": case.data, **({} if setting.reference else {"good": good.data})}
    root = write_set(tmp_path / "own", setting, files)
    code, out = run_build(root, setting)
    assert code == 2 and not out.exists()
    error = capsys.readouterr().err
    assert f"{root}/labels/val/bad.png" in error and "Received" in error


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_command(case, legends, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(case.data)
    if is_refused(case, "command"):
        with pytest.raises(DataError, match=r"a.png.*Received"):
            read_label_map(path, legends[case.setting])
        return
    label_map = read_label_map(path, legends[case.setting])
    np.testing.assert_array_equal(label_map, ours(case))


@pytest.fixture(scope="module")
def graphs(legends):
    """{setting: a graph that reads one file}."""

    def make(legend):
        @tf.function(input_signature=[tf.TensorSpec([], tf.string)], autograph=False)
        def read(file):
            headers = read_headers(file[None], "x")
            return decode_ids(file, headers.depths[0], headers.palettes[0], legend, "x")

        return read

    return {key: make(legend) for key, legend in legends.items()}


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_graph(case, graphs):
    read = graphs[case.setting]
    if is_refused(case, "graph"):
        rules = "x: (the colours must|the ids must|a palette of greys must)"
        with pytest.raises(tf.errors.InvalidArgumentError, match=rules):
            read(case.data)
        return
    np.testing.assert_array_equal(read(case.data), ours(case))


@pytest.fixture(scope="module")
def page(painter):
    from tests.serving.page.browser import Editor, chromium

    with chromium() as chrome:
        yield Editor(chrome, painter.url)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_page(case, legends, page):
    info = ModelInfo(legends[case.setting], toy_info().config)
    model = json.loads(info.to_json())
    data = base64.b64encode(case.data).decode()
    answer = page.chrome.execute_async_script(READ, data, model)
    if is_refused(case, "page"):
        assert isinstance(answer, str)
        assert any(words in answer for words in PAGE_RULES)
        return
    assert isinstance(answer, list), answer
    width, height, *ids = answer
    assert (height, width) == SIZE
    np.testing.assert_array_equal(np.array(ids).reshape(SIZE), ours(case))


def test_the_manifest_keeps_what_palettes_agree_on(legends):
    assert legends["names"].label_palette is None
    assert legends["colours"].label_palette[1] == (128, 64, 128)
    palette = legends["palette"].label_palette
    # Of the nine classes and the border, and no colour of an index that is no class.
    assert [*palette] == [*range(9), 255]
    assert palette[5] == (128, 0, 128) and palette[255] == (224, 224, 192)
