"""From rows to a file and into a page; a page or file that is no such thing."""

import json
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.options import Options
from benchmarks.results import caption, collect, load, save
from benchmarks.rows import row
from data_pipeline.errors import DataError

MACHINE = {
    "device": {"cpu": "abacus", "cores": 2, "flags": ["avx2"], "memory_gb": 7.6, "gpus": []},
    "versions": {"python": "3.11.7", "tensorflow": "2.20.0", "keras": "3.15.1", "numpy": "2.4"},
    "commit": "0123456789abcdef",
    "uncommitted_changes": True,
    "date": "2025-01-02T03:04:05+00:00",
}
CAPTION = (
    "abacus (2 cores, avx2, 8 GB); no GPU; TensorFlow 2.20.0, Keras 3.15.1, Python 3.11.7; "
    "commit 0123456 with changes; 2025-01-02; records: ade; medians of 5"
)


def result(title="Generator", options=None):
    options = options or Options(Path("/somewhere/ade"))
    shares = {"64x128": 0.051, "32x64": 0.1}
    sides = {"plain": (5.0, "s")}
    rows = [
        row("step", 2.5, "x faster", sides, at_least=2, distinct_patches=shares),
        row("aside", 1.5, "x faster", sides),
    ]
    return collect(title, MACHINE, options, rows)


def test_round_trip(tmp_path):
    content = result()
    path = save(tmp_path, "generator", content)
    assert path == tmp_path / "generator.json"
    assert load(path) == content
    # Nobody's directories are published.
    assert "somewhere" not in path.read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["generator.json"]


def test_caption():
    assert caption(result()) == CAPTION
    quick = caption(result(options=Options(quick=True, repeats=2)))
    assert "records: sample set; medians of 2; TOY WIDTHS" in quick


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"title": "Generator"}', "null"])
def test_a_file_of_something_else(tmp_path, text):
    path = tmp_path / "generator.json"
    path.write_text(text)
    with pytest.raises(DataError, match=f"{path} must be a file that python -m benchmarks wrote"):
        load(path)


def test_report(tmp_path):
    page, tables, results = (tmp_path / n for n in ("page.md", "RESULTS.md", "results"))
    results.mkdir()
    save(results, "b", result("Second"))
    save(results, "a", result("First"))
    aimless = result("Aimless")
    del aimless["rows"][0]
    save(results, "c", aimless)
    page.write_text("before\n<!-- benchmarks -->\nold\n<!-- /benchmarks -->\nafter\n")
    for _ in range(2):  # the second time it finds its own text
        assert report.write_report(page, tables, results) == 3
        text = page.read_text()
        assert text.startswith("before\n<!-- benchmarks -->\n\n**First**\n\n| what |")
        assert text.endswith(f"*{CAPTION}*\n\n<!-- /benchmarks -->\nafter\n")
        assert "old" not in text
        assert text.index("**First**") < text.index("**Second**")
        assert "| step | plain 5 s | 2.5 x faster | >= 2 | yes |  |" in text
        # The page tells what has a target, the other file all.
        assert "aside" not in text and "Aimless" not in text
        everything = tables.read_text()
        assert everything.count("| aside | plain 5 s | 1.5 x faster |  |  |  |") == 3
        for content in (text, everything):
            patches = "Distinct 5x5 patches of the recorded maps: 5.1% at 64x128, 10.0% at 32x64."
            assert content.count(patches) == 2


def test_nothing_to_report(tmp_path):
    page = tmp_path / "page.md"
    for text in ("", "<!-- benchmarks -->", "<!-- /benchmarks --> <!-- benchmarks -->"):
        page.write_text(text)
        with pytest.raises(DataError, match="must hold <!-- benchmarks --> and, after it"):
            report.write_report(page, tmp_path / "RESULTS.md", tmp_path)
        assert page.read_text() == text
    page.write_text("<!-- benchmarks --><!-- /benchmarks -->")
    with pytest.raises(DataError, match="must hold results; python -m benchmarks makes them"):
        report.write_report(page, tmp_path / "RESULTS.md", tmp_path)


def test_command(tmp_path, monkeypatch, capsys):
    def write_nothing():
        raise DataError("the page must hold markers")

    monkeypatch.setattr(report, "write_report", write_nothing)
    assert report.main([]) == 2
    assert capsys.readouterr().err == "error: the page must hold markers\n"
    monkeypatch.setattr(report, "write_report", lambda: 3)
    assert report.main([]) == 0
    assert capsys.readouterr().out.startswith("3 parts in ")


def test_the_committed_files_can_be_read():
    for path in report.RESULTS.glob("*.json"):
        assert not load(path)["settings"]["quick"]
        assert str(Path.home()) not in json.dumps(load(path))
