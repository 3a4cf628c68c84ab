"""A killed build never looks complete, and the same command finishes it."""

import contextlib
import shutil
import time

import numpy as np
import pytest
from PIL import Image

from data_pipeline import files
from tests.data_pipeline.helpers import content, refused, start
from tests.data_pipeline.sources import blocks, save_ids, write_folder, write_lvis


def interrupted(run, source, out, monkeypatch, stop_at):
    """Ctrl-C at the n-th time that a file is about to be published; False if it never comes."""
    publish, calls = files.publish, []

    def stopping(temporary, path):
        calls.append(path)
        if len(calls) == stop_at:
            raise KeyboardInterrupt
        publish(temporary, path)

    with monkeypatch.context() as patch:
        patch.setattr("data_pipeline.files.publish", stopping)
        patch.setattr("data_pipeline.building.shard.publish", stopping)
        code, _, error = run("folder", source, out)
    assert code == (130 if len(calls) >= stop_at else 0)
    return "interrupted" in error


def test_finishing_after_an_interruption_anywhere(run, source, out, tmp_path, monkeypatch):
    run("folder", source, tmp_path / "reference")
    stop_at = 1
    while interrupted(run, source, out, monkeypatch, stop_at):
        assert not (out / "manifest.json").exists()
        assert run("folder", source, out)[0] == 0
        assert content(out) == content(tmp_path / "reference")
        shutil.rmtree(out)
        stop_at += 1
    # the note of the build, 4 shards and 4 sidecars, the files of the source, the manifest
    assert stop_at == 12


def test_the_index_of_annotations_is_made_once(run, out, tmp_path, monkeypatch):
    source = write_lvis(tmp_path / "lvis")
    assert run("lvis", source, tmp_path / "reference")[0] == 0
    assert not list((tmp_path / "reference").glob(".*"))
    with monkeypatch.context() as patch:
        patch.setattr("data_pipeline.building.builder.prepare", interrupt)
        assert run("lvis", source, out, "--workers", "1")[0] == 130
    assert {path.name for path in out.glob(".*")} == {".train.index.npz", ".val.index.npz"}
    with monkeypatch.context() as patch:
        patch.setattr("data_pipeline.datasets.annotation_index.stream_lists", interrupt)
        assert run("lvis", source, out)[0] == 0
    assert content(out) == content(tmp_path / "reference")


def interrupt(*_, **__):
    raise KeyboardInterrupt


def test_an_index_that_was_kept_before_the_build_began(run, out, tmp_path, monkeypatch):
    source = write_lvis(tmp_path / "lvis")
    with monkeypatch.context() as patch:
        patch.setattr("data_pipeline.building.builder.fingerprint", interrupt)
        assert run("lvis", source, out)[0] == 130
    assert run("lvis", source, out)[0] == 0
    assert not list(out.glob(".*"))


def test_kill_between_the_manifest_and_the_end(run, source, out, tmp_path, monkeypatch):
    run("folder", source, tmp_path / "reference")
    with monkeypatch.context() as patch:
        patch.setattr("data_pipeline.building.output.tidy", lambda out: None)
        run("folder", source, out)
    assert (out / "build.json").exists()
    assert "complete already" in run("folder", source, out)[1]
    assert content(out) == content(tmp_path / "reference")


def test_finished_shards_are_not_written_again(run, source, out, monkeypatch):
    interrupted(run, source, out, monkeypatch, stop_at=6)  # two shards are finished
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.tfrecord")}
    assert len(before) == 2
    run("folder", source, out)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_unfinished_build_of_other_arguments(run, source, out, monkeypatch):
    interrupted(run, source, out, monkeypatch, stop_at=6)
    before = sorted(path.name for path in out.iterdir())
    assert "unfinished build of" in refused(run, out, "folder", source, out, "--no_crop")
    assert sorted(path.name for path in out.iterdir()) == before


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def alive(pid):
    with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.002)
    assert condition()


def large_source(root):
    """So many and so large pictures that a kill comes in time."""
    noise = np.random.default_rng(0).integers(0, 256, (400, 600, 3), dtype=np.uint8)
    write_folder(root, 0, 1)
    for i in range(50):
        path = root / "images/train" / f"{i:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.roll(noise, i)).save(path, compress_level=0)
        save_ids(root / "labels/train" / f"{i:02d}.png", blocks(i % 3, 1, size=(400, 600)))
    return root


def kill_and_finish(run, source, out, reference, condition):
    process = start(source, out)
    wait_for(condition)
    workers = children(process.pid)
    process.kill()
    process.communicate()
    assert not (out / "manifest.json").exists()
    wait_for(lambda: not any(alive(worker) for worker in workers))  # no orphans
    assert run("folder", source, out, image_size=(256, 256))[0] == 0
    assert content(out) == content(reference)


def test_kill(run, tmp_path, out):
    source = large_source(tmp_path / "large")
    run("folder", source, tmp_path / "reference", image_size=(256, 256))
    half_way = lambda: len(list(out.glob("train-*.tfrecord.json"))) >= 2  # noqa: E731
    kill_and_finish(run, source, out, tmp_path / "reference", half_way)


@pytest.mark.slow
def test_kill_at_many_moments(run, tmp_path, out):
    source = large_source(tmp_path / "large")
    run("folder", source, tmp_path / "reference", image_size=(256, 256))
    conditions = [
        lambda: (out / "build.json").exists(),
        lambda: any(out.glob("*.tfrecord.tmp")),
        *(lambda n=n: len(list(out.glob("*.tfrecord"))) >= n for n in range(1, 7)),
        lambda: len(list(out.glob("*.tfrecord.json"))) >= 8,
    ]
    for condition in conditions:
        kill_and_finish(run, source, out, tmp_path / "reference", condition)
        shutil.rmtree(out)


def test_bad_data_found_when_finishing_a_killed_build(run, source, out, monkeypatch):
    interrupted(run, source, out, monkeypatch, stop_at=5)
    (source / "images/val/val_01.jpg").write_text("")  # not the file it was: another plan
    assert "other source files" in refused(run, out, "folder", source, out)
    assert any(out.glob("*.tfrecord"))  # nothing deleted
