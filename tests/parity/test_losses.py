"""Every loss case and weight map against the authors' code."""

import numpy as np
import pytest
import tensorflow as tf

from oasis_tf.losses.segmentation import (
    class_weights,
    discriminator_fake_loss,
    discriminator_real_loss,
)


@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize("ignore_unlabelled", [False, True])
def test_losses(case, balanced, ignore_unlabelled):
    a = case.arrays
    suffix = f"dontcare{int(ignore_unlabelled)}_balanced{int(balanced)}"
    # Behind an identity the features are the logits.
    logits = tf.constant(a["D_eval_logits"])
    head = (tf.eye(logits.shape[-1]), tf.zeros(logits.shape[-1]))
    real = discriminator_real_loss(
        logits, head, a["label"], balanced=balanced, ignore_unlabelled=ignore_unlabelled
    )
    np.testing.assert_allclose(real, a[f"loss_real_{suffix}"], rtol=1e-6)
    fake = discriminator_fake_loss(logits, head)
    np.testing.assert_allclose(fake, a[f"loss_fake_{suffix}"], rtol=1e-6)


@pytest.mark.parametrize("ignore_unlabelled", [False, True])
def test_weight_maps(case, ignore_unlabelled):
    a = case.arrays
    weights = class_weights(
        a["label"], case.config["semantic_nc"], ignore_unlabelled=ignore_unlabelled
    )
    expected = a[f"weight_map_dontcare{int(ignore_unlabelled)}_balanced1"]
    np.testing.assert_allclose(np.asarray(weights)[a["label"]], expected, rtol=1e-6)
