"""Every loss case and weight map against the authors' code."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.losses.segmentation import (
    class_weights,
    discriminator_fake_loss,
    discriminator_real_loss,
)


def num_classes(case):
    return case.config["semantic_nc"]


def weights_of(case, ignore_unlabelled):
    """Ours; for the authors' option that ours has not, unlabelled is a class like others."""
    label_map = case.arrays["label"]
    if ignore_unlabelled:
        return class_weights(label_map, num_classes(case))
    counts = np.bincount(label_map.reshape(-1), minlength=num_classes(case))
    weights = label_map.size / (np.maximum(counts, 1) * np.count_nonzero(counts))
    return tf.constant(weights * (counts > 0), tf.float32)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("ignore_unlabelled", [False, True])
def test_losses(case, balanced, ignore_unlabelled):
    a = case.arrays
    suffix = f"dontcare{int(ignore_unlabelled)}_balanced{int(balanced)}"
    # Behind an identity the features are the logits.
    logits = tf.constant(a["D_eval_logits"])
    head = (tf.eye(logits.shape[-1]), tf.zeros(logits.shape[-1]))
    weights = weights_of(case, ignore_unlabelled) if balanced else tf.ones(num_classes(case))
    real = discriminator_real_loss(logits, head, a["label"], weights)
    np.testing.assert_allclose(real, a[f"loss_real_{suffix}"], rtol=1e-6)
    fake = discriminator_fake_loss(logits, head)
    np.testing.assert_allclose(fake, a[f"loss_fake_{suffix}"], rtol=1e-6)


@pytest.mark.parametrize("ignore_unlabelled", [False, True])
def test_weight_maps(case, ignore_unlabelled):
    a = case.arrays
    weights = weights_of(case, ignore_unlabelled)
    expected = a[f"weight_map_dontcare{int(ignore_unlabelled)}_balanced1"]
    np.testing.assert_allclose(np.asarray(weights)[a["label"]], expected, rtol=1e-6)
