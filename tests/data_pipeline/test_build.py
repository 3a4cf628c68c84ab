import fcntl
import shutil
import subprocess
import sys

import numpy as np
import pytest

from data_pipeline import build, files
from data_pipeline.records.manifest import Manifest
from tests.data_pipeline.helpers import content, records, refused, start
from tests.data_pipeline.sources import WRITERS


@pytest.mark.parametrize("name", WRITERS)
def test_every_data_set(run, tmp_path, out, name):
    source = WRITERS[name](tmp_path / "source")
    code, summary, _ = run(name, source, out)
    assert code == 0
    manifest = Manifest.read(out)
    stored = (64, 128) if name == "cityscapes" else (72, 143)
    assert manifest.image_size == (64, 128)
    assert manifest.splits["train"].stored_size == stored
    assert manifest.splits["val"].stored_size == (64, 128)
    for split in ("train", "val"):
        written = records(out, split)
        assert manifest.splits[split].examples == len(written) >= 2
        counts = np.zeros(manifest.num_classes, int)
        for record in written:
            assert record["image"].shape == (*manifest.splits[split].stored_size, 3)
            assert record["label_map"].shape == manifest.splits[split].stored_size
            counts += np.bincount(record["label_map"].numpy().ravel(), minlength=len(counts))
        assert manifest.splits[split].pixels_per_class == tuple(counts)
        assert manifest.splits[split].unlabelled_share == counts[0] / counts.sum()
        for shard in manifest.splits[split].shards:
            assert files.sha256(out / shard.name) == shard.sha256
    assert {path.suffix for path in out.iterdir()} == {".json", ".tfrecord", ".png"}
    assert f"python -m oasis_tf.train --dataset {name} --data_dir {out}" in summary
    assert manifest.command.startswith(f"python -m data_pipeline.build --dataset {name}")


def test_validation_keeps_source_order(run, source, out):
    run("folder", source, out)
    assert [record["name"] for record in records(out, "val")] == [b"val_00", b"val_01"]


def test_one_split_and_no_crop(run, source, out):
    run("folder", source, out, "--split", "train", "--no_crop")
    manifest = Manifest.read(out)
    assert list(manifest.splits) == ["train"]
    assert manifest.splits["train"].stored_size == (64, 128)


def test_workers_do_not_change_the_result(run, source, out, tmp_path):
    run("folder", source, out, workers=1)
    run("folder", source, tmp_path / "two", workers=2)
    assert content(out) == content(tmp_path / "two")


def test_complete_set_is_left_alone(run, source, out):
    run("folder", source, out)
    before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    shutil.rmtree(source)  # not even looked at
    source.mkdir()
    code, message, _ = run("folder", source, out)
    assert code == 0 and "complete already" in message
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == before


def test_complete_set_with_a_truncated_shard(run, source, out):
    run("folder", source, out)
    shard = next(out.glob("train-*"))
    shard.write_bytes(shard.read_bytes()[:-1])
    assert f"{shard} is truncated" in refused(run, out, "folder", source, out)


def test_other_arguments_are_refused_and_nothing_is_deleted(run, source, out):
    run("folder", source, out)
    before = content(out)
    error = refused(run, out, "folder", source, out, "--no_crop")
    assert "--out must be empty or hold a build of the same arguments" in error
    assert content(out) == before


def test_foreign_files_are_refused_and_not_deleted(run, source, out):
    out.mkdir()
    (out / "thesis.tex").write_text("precious")
    error = refused(run, out, "folder", source, out)
    assert "thesis.tex" in error and [path.name for path in out.iterdir()] == ["thesis.tex"]


def test_out_is_a_file(run, source, out):
    out.write_text("")
    assert "--out must be a directory" in refused(run, out, "folder", source, out)


def test_second_build_into_the_same_directory(run, source, out):
    out.mkdir()
    with open(out / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "in use by another build" in refused(run, out, "folder", source, out)


def test_command_line_says_error_and_exits_with_2(tmp_path, out):
    process = start(tmp_path / "absent", out)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 2 and error.startswith("error: --source must")
    assert "Traceback" not in error and not out.exists()


def test_help_starts_without_tensorflow():
    code = "import sys; import data_pipeline.build; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_argument_errors_exit_with_2(capsys):
    with pytest.raises(SystemExit) as caught:
        build.main(["--dataset", "mnist"])
    assert caught.value.code == 2
