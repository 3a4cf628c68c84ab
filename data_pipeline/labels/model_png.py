"""The label map of a request to an exported model."""

import numpy as np

from data_pipeline.labels.legend import Legend
from data_pipeline.records.png import encode_label_map


def encode_for_model(label_map, content):
    """Encodes a label map as a PNG file that an exported model reads as these classes.

    Its PNG inputs hold ids as in the label files it has learnt from. Those of models exported
    before that was so, whose `model.json` says nothing of `label_colours`, hold our ids.

    Args:
        label_map: int (H, W), ids in [0, N).
        content: what `model.json` holds, a dict.

    Returns:
        PNG bytes.

    Raises:
        ValueError: ids beyond the classes.
    """
    if "label_colours" not in content:
        return encode_label_map(label_map)
    file_ids = np.array(Legend.from_json(content).file_ids)
    label_map = np.asarray(label_map)
    if label_map.min() < 0 or label_map.max() >= len(file_ids):
        raise ValueError(
            f"`label_map` must hold ids in 0..{len(file_ids) - 1}. "
            f"Received: {label_map.min()} to {label_map.max()}"
        )
    return encode_label_map(file_ids[label_map])
