"""By whom checkpoints are saved, and going on from the newest that is whole."""

import os

import pytest
import tensorflow as tf

from data_pipeline.errors import DataError
from oasis_tf.checkpoints.manager import RunCheckpoints


def of_step(tmp_path, step, **options):
    return RunCheckpoints(tf.train.Checkpoint(step=step), tmp_path, keep=3, **options)


def test_a_step_is_saved_once(tmp_path):
    step = tf.Variable(5, dtype=tf.int64)
    checkpoints = of_step(tmp_path, step)
    assert checkpoints.save(5).endswith("step-5")
    before = (tmp_path / "step-5.index").stat().st_mtime_ns
    assert checkpoints.save(5).endswith("step-5")
    assert (tmp_path / "step-5.index").stat().st_mtime_ns == before


def test_a_worker_that_does_not_write_restores(tmp_path):
    of_step(tmp_path, tf.Variable(5)).save(5)
    before = sorted(p.name for p in tmp_path.iterdir())
    step = tf.Variable(0)
    reader = of_step(tmp_path, step, writes=False)
    assert reader.restore_newest().endswith("step-5")
    assert int(step.numpy()) == 5
    assert reader.save(6) is None
    assert sorted(p.name for p in tmp_path.iterdir()) == before


@pytest.fixture
def directory(tmp_path):
    """Holds the checkpoints of steps 4, 6 and 8."""
    state, manager = opened(tmp_path)
    for step in range(2, 9, 2):
        state.step.assign(step)
        state.value.assign(tf.fill([1000], float(step)))
        manager.save(step)
    return tmp_path


def opened(directory):
    state = tf.train.Checkpoint(
        step=tf.Variable(0, dtype=tf.int64), value=tf.Variable(tf.zeros([1000]))
    )
    manager = RunCheckpoints(state, directory, keep=3)
    return state, manager


def restored(directory):
    """The step that the manager goes on from, in both variables."""
    state, manager = opened(directory)
    path = manager.restore_newest()
    step = int(state.step)
    assert path == manager.newest == str(directory / f"step-{step}")
    assert state.value.numpy().tolist() == [step] * 1000
    return step


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_the_newest_are_kept(directory):
    assert {p.name for p in directory.glob("*.index")} == {f"step-{i}.index" for i in (4, 6, 8)}
    assert restored(directory) == 8


def test_nothing_there(tmp_path):
    state, manager = opened(tmp_path)
    assert manager.restore_newest() is None and int(state.step) == 0


@pytest.mark.parametrize("part", ["index", "data-00000-of-00001"])
def test_a_damaged_newest_is_passed_over(directory, capsys, part):
    cut(directory / f"step-8.{part}")
    assert restored(directory) == 6
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: ") and "step-8 is damaged" in line


def test_a_flipped_byte_is_damage(directory):
    path = directory / "step-8.data-00000-of-00001"
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes(content)
    assert restored(directory) == 6


def test_all_damaged(directory):
    for path in directory.glob("*.index"):
        cut(path)
    _, manager = opened(directory)
    with pytest.raises(tf.errors.OpError):
        manager.restore_newest()
    assert manager.newest == str(directory / "step-8")


@pytest.mark.parametrize("content", [None, b"model_check", b"\xff", b""])
def test_a_spoilt_list_of_checkpoints(directory, content):
    (directory / "checkpoint").unlink()
    if content is not None:
        (directory / "checkpoint").write_bytes(content)
    assert restored(directory) == 8


def test_a_damaged_one_is_written_again(directory):
    cut(directory / "step-8.index")
    state, manager = opened(directory)
    assert manager.restore_newest().endswith("step-6")
    state.step.assign(8)
    manager.save(8)
    state, manager = opened(directory)
    assert manager.restore_newest().endswith("step-8") and int(state.step) == 8


def test_times_of_the_files_say_nothing(directory):
    for path in directory.glob("step-*"):
        os.utime(path, (0, 0))
    assert restored(directory) == 8
    state, manager = opened(directory)
    manager.restore_newest()
    state.step.assign(10)
    manager.save(10)
    assert {p.name for p in directory.glob("*.index")} == {f"step-{i}.index" for i in (6, 8, 10)}


def test_a_checkpoint_of_something_else(directory, capsys):
    for path in directory.glob("step-*"):
        path.unlink()
    tf.train.Checkpoint(other=tf.Variable(1.0)).write(str(directory / "step-9"))
    _, manager = opened(directory)
    with pytest.raises(AssertionError):
        manager.restore_newest()


def test_old_ones_are_deleted_after_a_restart(directory):
    (directory / "step-8.index").write_bytes(b"")
    (directory / "checkpoint").unlink()
    state, manager = opened(directory)
    manager.restore_newest()
    for step in (8, 10):
        state.step.assign(step)
        manager.save(step)
    assert {p.name for p in directory.glob("*.index")} == {f"step-{i}.index" for i in (6, 8, 10)}


def test_names_without_a_step_are_no_beginning(directory):
    """A run that began at step 0 would overwrite what is there."""
    for path in directory.glob("step-*"):
        path.rename(path.with_name(path.name.replace("step-", "old_")))
    _, manager = opened(directory)
    with pytest.raises(DataError, match="named by their step.*Received: old_4.index, old_6.ind"):
        manager.restore_newest()


def test_what_was_never_finished_is_removed(directory):
    (directory / "step-10_temp").mkdir()
    (directory / "step-10_temp" / "part-00000-of-00001").write_bytes(b"x")
    assert restored(directory) == 8
    assert not (directory / "step-10_temp").exists()
