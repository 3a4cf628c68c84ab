"""How many pictures hold each class, counted by hand."""

import numpy as np

from data_pipeline.reading.reader import eval_dataset
from oasis_tf.evaluation.frequency import picture_counts
from tests.toy_data import build_records


def test_counts(tmp_path):
    records = build_records(tmp_path)
    label_maps = [batch["label_map"].numpy()[0] for batch in eval_dataset(records, batch_size=1)]
    assert len(label_maps) == 3
    expected = [sum(np.any(label_map == c) for label_map in label_maps) for c in range(4)]
    assert picture_counts(records, "val").tolist() == expected
