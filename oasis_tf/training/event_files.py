"""TensorBoard's files of a run that goes on from a checkpoint."""

from pathlib import Path

import tensorflow as tf

from data_pipeline.files import publish


def drop_points(directory, is_dropped):
    """Takes points out of TensorBoard's files which the run is going to write again.

    A run that was killed has written points after its newest checkpoint. Those steps are made
    again, and TensorBoard would show each of their points twice.

    Args:
        directory: Path with event files, or of nothing.
        is_dropped: function of a point's step and its tag.
    """
    # Newest first. What was written before an earlier resumption was seen to in that one.
    for path in sorted(Path(directory).glob("events.out.tfevents.*"), reverse=True):
        records, points, dropped = _read(path, is_dropped)
        if dropped:
            _write(path, records if points else [])
        elif points:
            return


def _read(path, is_dropped):
    """The serialized records without the points to drop, how many points stay, how many do not."""
    records, points, dropped = [], 0, 0
    try:
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            event = tf.compat.v1.Event.FromString(record)
            kept = [v for v in event.summary.value if not is_dropped(event.step, v.tag)]
            points += len(kept)
            if missing := len(event.summary.value) - len(kept):
                dropped += missing
                if not kept:
                    continue
                del event.summary.value[:]
                event.summary.value.extend(kept)
                record = event.SerializeToString()
            records.append(record)
    except tf.errors.DataLossError:
        pass  # the record under way when the process was killed
    return records, points, dropped


def _write(path, records):
    if not records:
        path.unlink()
        return
    # A name that TensorBoard does not look for.
    temporary = path.with_name(f"unfinished.{path.name.rpartition('.')[2]}.tmp")
    with tf.io.TFRecordWriter(str(temporary)) as writer:
        for record in records:
            writer.write(record)
    publish(temporary, path)
