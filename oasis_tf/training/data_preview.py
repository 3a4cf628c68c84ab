"""The data set's `preview.png` beside a run's curves in TensorBoard."""

import numpy as np
import tensorflow as tf

from data_pipeline.datasets.pictures import open_rgb
from data_pipeline.errors import DataError
from data_pipeline.records.manifest import PREVIEW


def write_data_preview(writer, data_dir, step):
    """Writes the picture that `build` has drawn; nothing where there is none or a damaged one.

    Args:
        writer: a `tf.summary.SummaryWriter`.
        data_dir: Path of the records.
        step: the first of this session.
    """
    path = data_dir / PREVIEW
    if not path.is_file():  # of an earlier version
        return
    try:
        sheet = np.asarray(open_rgb(path))
    except DataError:
        return
    with writer.as_default():
        tf.summary.image("data/preview", sheet[None], step=step)
