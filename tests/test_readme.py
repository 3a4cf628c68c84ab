"""README.md and docs/: examples run, commands and files are there, figures are measured."""

import importlib.util
import json
import posixpath
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_pipeline.labels.legend import Legend
from tests.toy_model import toy_config, write_model_dir

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "benchmarks").glob("*.md")),
]


def read(page):
    return page.read_text(encoding="utf-8")


def is_command(module):
    spec = importlib.util.find_spec(module)
    return spec is not None and '__name__ == "__main__"' in Path(spec.origin).read_text()


def prose(text):
    """Markdown without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(text):
    """Of a page's headings, as GitHub and the site make them."""
    headings = re.findall(r"^#+ (.*)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "sample"
    names = ("unlabelled", "house", "lake", "tree")
    write_model_dir(path, legend=Legend(names, ((0, 0, 0),) * 4))
    return path


@pytest.fixture
def run_example(sample, tmp_path, monkeypatch, eager):
    """Runs a page's Python beside a toy model in runs/sample; its variables."""
    shutil.copytree(sample, tmp_path / "runs" / "sample")
    monkeypatch.chdir(tmp_path)

    def run(page):
        (code,) = re.findall(r"```python\n(.*?)```", read(page), re.DOTALL)
        scope = {}
        exec(code, scope)  # the page is ours
        return code, scope

    return run


def test_the_library_in_eight_lines(run_example, tmp_path):
    code, scope = run_example(README)
    lines = [line for line in code.splitlines() if line]
    assert len([line for line in lines if "import" not in line]) <= 8
    assert scope["pictures"].shape == (4, 64, 64, 3)
    assert scope["pictures"].dtype == np.uint8
    assert Image.open(tmp_path / "edits.png").size == (4 * 64, 64)


@pytest.mark.slow
def test_the_library_page(run_example):
    _, scope = run_example(ROOT / "docs" / "library.md")
    assert scope["pictures"].shape == (3, 64, 96, 3)
    assert scope["several"].shape == (2, 3, 64, 96, 3)
    assert scope["frames"].shape == (5, 64, 96, 3)
    assert scope["edit"].mask.sum() == 30 * 96


@pytest.mark.slow
def test_the_example_of_engines(run_example):
    pytest.importorskip("onnxruntime", reason="NO ONNXRUNTIME: docs/engines.md is not tested")
    pytest.importorskip("onnx", reason="NO ONNX: docs/engines.md is not tested")
    from oasis_tf import export

    command = "--model runs/sample --format onnx --out saved_models/sample.onnx"
    assert f"oasis_tf.export {command}" in read(ROOT / "docs/engines.md")
    # With the toy model's usual gain numbers grow until float32 is not enough.
    legend = Legend.coloured(("unlabelled", "house"))
    write_model_dir(Path("runs/sample"), config=toy_config(init_gain=1.0), legend=legend)
    assert export.main(command.split()) == 0
    _, scope = run_example(ROOT / "docs/engines.md")
    assert scope["image"].shape == (1, 64, 96, 3) and np.abs(scope["image"]).max() <= 1


def test_the_readme_is_a_page():
    assert len(read(README).splitlines()) <= 120


def test_the_table_of_commands():
    listed = re.findall(r"^\| `(\w+\.\w+)`", read(README), re.MULTILINE)
    there = [
        f"{room}.{path.stem}"
        for room in ("data_pipeline", "oasis_tf")
        for path in (ROOT / room).glob("*.py")
        if is_command(f"{room}.{path.stem}")
    ]
    assert len(listed) == 13
    assert sorted(listed) == sorted(there)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_there(page):
    ours = r"python -m ((?:oasis_tf|data_pipeline|benchmarks|experiments|tests)[\w.]*)"
    for module in {name.rstrip(".") for name in re.findall(ours, read(page))}:
        is_package = (ROOT / module.replace(".", "/")).is_dir()
        assert is_command(f"{module}.__main__" if is_package else module), module
    makefile = read(ROOT / "Makefile")
    for target in set(re.findall(r"`make ([\w-]+)`", read(page))):
        assert f"\n{target}:" in makefile, target


# The changelog tells of files that were.
@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.name
)
def test_files_are_there(page):
    ours = r"`((?:oasis_tf|data_pipeline|benchmarks|experiments|deploy|docs|tests)/[\w./-]*)`"
    for path in set(re.findall(ours, read(page))):
        assert (ROOT / path).exists() or "/NAME" in path, path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(read(page))):
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = ROOT / posixpath.normpath(page.parent.relative_to(ROOT) / path) if path else page
        assert target.is_file(), link
        if anchor:
            assert anchor in anchors(read(target)), link


def test_figures_of_speed_are_those_measured():
    def sides(part, what):
        results = json.loads((ROOT / "benchmarks" / "results" / f"{part}.json").read_text())
        (row,) = (row for row in results["rows"] if row["what"] == what)
        shown = {side: f"{value:.3g} {unit}" for side, (value, unit) in row["sides"].items()}
        return shown["ours"], shown["plain"]

    rows = re.findall(
        r"^\| [^|]*picture[^|]* \| ([\d.]+ \w+) \| ([\d.]+ \w+) \|$", read(README), re.M
    )
    assert rows == [
        sides("generator", "1204 classes, recorded maps, float32"),
        sides("train_step", "1204 classes, float32"),
        sides("memory", "training step, 1204 classes"),
    ]
