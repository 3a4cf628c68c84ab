"""The same command on a finished build: whether the source is still what was built."""

import json
import os
import shutil

import pytest

from tests.data_pipeline.helpers import content


@pytest.fixture
def built(run, source, out):
    assert run("folder", source, out)[0] == 0
    return content(out)


def again(run, source, out, built):
    """(exit code, stdout, stderr) of the same command, which must leave the build as it was."""
    result = run("folder", source, out)
    assert content(out) == built
    return result


def first(source, kind):
    return min((source / kind / "train").iterdir())


def test_unchanged(run, source, out, built):
    code, told, _ = again(run, source, out, built)
    assert code == 0 and told == f"{out} is complete already: nothing to do.\n"


def test_everything_that_changed_is_named(run, source, out, built):
    changed = first(source, "labels")
    for kind in ("images", "labels"):
        path = first(source, kind)
        shutil.copy(path, path.with_name(f"new{path.suffix}"))
    os.utime(changed, ns=(0, changed.stat().st_mtime_ns + 1))
    code, _, error = again(run, source, out, built)
    assert code == 2
    lines = error.splitlines()
    assert lines[0].startswith(f"error: --source {source} must be as it was when {out} was built")
    assert f"delete {out}, or choose another --out, to build it again" in lines[0]
    assert sorted(line.split()[0] for line in lines[1:]) == ["changed:", "new:", "new:"]
    assert f"  changed: labels/train/{changed.name}" in lines


def test_pictures_that_are_gone(run, source, out, built):
    image, label = first(source, "images"), first(source, "labels")
    image.unlink()
    label.unlink()
    code, _, error = again(run, source, out, built)
    assert code == 2
    assert f"missing: images/train/{image.name}" in error
    assert f"missing: labels/train/{label.name}" in error


def test_one_that_cannot_be_read_any_more(run, source, out, built):
    first(source, "labels").unlink()
    code, _, error = again(run, source, out, built)
    assert code == 2 and "it cannot be read now: " in error and "missing: labels/train/" in error


def test_other_classes(run, source, out, built):
    path = source / "class_names.json"
    names = json.loads(path.read_text())
    path.write_text(json.dumps([*names[:-1], f"{names[-1]} too"]))
    code, _, error = again(run, source, out, built)
    assert code == 2 and "other classes" in error


def test_a_source_that_was_deleted_once_it_was_built(run, source, out, built):
    shutil.rmtree(source)
    code, told, _ = again(run, source, out, built)
    assert code == 0 and "complete already: nothing to do (its source is gone)" in told


def test_a_build_of_an_earlier_version(run, source, out, built):
    (out / "source.json").unlink()
    first(source, "images").touch()
    code, told, _ = run("folder", source, out)
    assert code == 0 and "(built before the files of a source were noted" in told
