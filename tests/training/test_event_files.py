"""Points that a resumed run writes again are taken out of TensorBoard's files."""

import tensorflow as tf

from oasis_tf.training.event_files import drop_points


def write(directory, steps, tags=("loss", "sigma")):
    """A session's file."""
    before = set(directory.glob("*"))
    writer = tf.summary.create_file_writer(str(directory))
    with writer.as_default():
        for step in steps:
            for tag in tags:
                tf.summary.scalar(tag, float(step), step=step)
    writer.close()
    (path,) = set(directory.glob("*")) - before
    # In a later second, as sessions are.
    return path.rename(path.with_name(f"events.out.tfevents.{1000 + len(before)}.x.v2"))


def points(directory):
    """[(step, tag, value)] in the order of the files."""
    return [
        (event.step, value.tag, float(tf.make_ndarray(value.tensor)))
        for path in sorted(directory.glob("events*"))
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    ]


def expected(steps, tags=("loss", "sigma")):
    return [(step, tag, float(step)) for step in steps for tag in tags]


def test_what_comes_after_the_checkpoint(tmp_path):
    first, second = write(tmp_path, range(1, 5)), write(tmp_path, range(5, 10))
    before = first.read_bytes()
    drop_points(tmp_path, lambda step, tag: step > 7 or (step == 7 and tag == "sigma"))
    assert points(tmp_path) == [*expected(range(1, 7)), (7, "loss", 7.0)]
    assert {p.name for p in tmp_path.iterdir()} == {first.name, second.name}
    drop_points(tmp_path, lambda step, tag: step > 2)
    assert points(tmp_path) == expected([1, 2])
    # Nothing was left of it.
    assert list(tmp_path.iterdir()) == [first] and first.read_bytes() != before


def test_nothing_to_drop_changes_nothing(tmp_path):
    path = write(tmp_path, range(3))
    before = path.read_bytes()
    drop_points(tmp_path, lambda step, tag: step > 3)
    assert path.read_bytes() == before
    drop_points(tmp_path / "none", lambda step, tag: True)


def test_a_record_that_a_kill_cut_short(tmp_path):
    path = write(tmp_path, range(4))
    path.write_bytes(path.read_bytes()[:-5])
    drop_points(tmp_path, lambda step, tag: step > 1)
    assert points(tmp_path) == expected([0, 1])
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
