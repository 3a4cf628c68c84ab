"""What a run has written for TensorBoard, as numbers."""

import tensorflow as tf

from oasis_tf.training.gradient_clip import LIMIT
from oasis_tf.training.step import NETWORKS

_LOSSES = ("loss/generator", "loss/discriminator_fake", "loss/discriminator_real", "loss/labelmix")


def read_run(model_dir, first_steps):
    """Reads a run.

    Args:
        model_dir: `--model_dir` of a run that logged each of its first steps.
        first_steps: how many these are.

    Returns:
        dict of `first_steps`: for each number of the first steps the list of its values; there,
        `entered/...` is the norm of what the optimiser got. `losses`: {step: {name: float}} of
        the later ones. `scores`: {step: {name: float}} of the validations.
    """
    train, scores = _scalars(model_dir / "train"), _scalars(model_dir / "val")
    released = "guarded" not in (model_dir / "config.json").read_text()
    first = {}
    for name in (*_LOSSES, *(f"gradient_norm/{network}" for network in NETWORKS)):
        first[name] = [train[step][name] for step in range(1, first_steps + 1)]
    for network in NETWORKS:
        excess = [train[s][f"gradient_excess/{network}"] for s in range(1, first_steps + 1)]
        first[f"entered/{network}"] = [
            norm if released or e <= LIMIT else float(f"{norm * LIMIT / e:.5g}")
            for norm, e in zip(first[f"gradient_norm/{network}"], excess, strict=True)
        ]
    later = {
        step: {name: values[name] for name in _LOSSES}
        for step, values in sorted(train.items())
        if step > first_steps
    }
    kept = ("metrics/", "score/miou")
    return {
        "first_steps": first,
        "losses": later,
        "scores": {
            step: {name: value for name, value in values.items() if name.startswith(kept)}
            for step, values in sorted(scores.items())
        },
    }


def _scalars(directory):
    """{step: {name: float}}; what was written last counts."""
    values = {}
    for path in sorted(directory.glob("events*"), key=lambda p: (p.stat().st_mtime_ns, p.name)):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                if value.tensor.dtype == tf.float32.as_datatype_enum:
                    # Five digits tell enough, and keep the file small.
                    number = float(f"{float(tf.make_ndarray(value.tensor)):.5g}")
                    values.setdefault(event.step, {})[value.tag] = number
    return values
