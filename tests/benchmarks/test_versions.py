"""Two checkouts are measured by this one's benchmarks, each in a process with its own networks."""

import shutil

import pytest

from benchmarks import versions
from benchmarks.machine import ROOT
from benchmarks.options import Options


def which_version():
    """Builds a side that tells which packages its process took."""
    import data_pipeline
    import oasis_tf

    files = [package.__file__ for package in (oasis_tf, data_pipeline, versions)]
    return lambda: files


def make_slow_where(marker):
    import oasis_tf

    seconds = getattr(oasis_tf, marker, 0.0)

    def side():
        import time

        time.sleep(seconds)

    return side


@pytest.fixture
def other(tmp_path):
    """A checkout whose `oasis_tf` is nothing but a marker."""
    other = tmp_path / "other"
    (other / "oasis_tf").mkdir(parents=True)
    (other / "oasis_tf" / "__init__.py").write_text("SECONDS = 0.3\n")
    shutil.copytree(ROOT / "data_pipeline", other / "data_pipeline")
    return other


def test_in_turns(other, capsys):
    options = Options(repeats=2, against=other)
    row = versions.timed("pauses", options, make_slow_where, "SECONDS")
    assert list(row["sides"]) == ["there, unknown", "here"]
    assert row["sides"]["there, unknown"][0] > 0.3 and row["figure"] > 1
    order = [line.split("  ")[:2] for line in capsys.readouterr().err.splitlines()]
    turns = [label for label, _ in order]
    assert turns == ["first call"] * 2 + ["round 1/2"] * 2 + ["round 2/2"] * 2
    assert [side for _, side in order] == ["pauses, there, unknown", "pauses, here"] * 3


def test_packages_of_the_other_and_benchmarks_of_this(other):
    with versions.process_of(other) as process:
        process.submit(versions._make, which_version, ()).result()
        oasis_tf, data_pipeline, benchmarks = process.submit(_files).result()
    assert oasis_tf.endswith("oasis_tf/__init__.py") and not oasis_tf.startswith(str(ROOT))
    assert data_pipeline.rpartition("/data_pipeline/")[0] == oasis_tf.rpartition("/oasis_tf/")[0]
    assert benchmarks == str(ROOT / "benchmarks" / "versions.py")


def _files():
    return versions._side()


class FewClasses(Options):
    """Half of the rows, for each builds two networks."""

    classes = (9,)


@pytest.mark.slow
def test_steps_of_two_versions(records, tmp_path, monkeypatch):
    from benchmarks.parts import memory, train_step

    for name in ("oasis_tf", "data_pipeline"):
        shutil.copytree(ROOT / name, tmp_path / name)
    options = FewClasses(records, repeats=1, quick=True, against=tmp_path)
    monkeypatch.setattr(train_step, "OURS", {"float32": "float32"})
    (row,) = train_step.against(options)
    assert row["what"] == "9 classes, float32" and row["figure"] > 0
    (row,) = memory.against(options)
    assert 0.5 < row["figure"] < 2
