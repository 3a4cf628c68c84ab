"""Confusion matrix and IoU by hand, and against plain counting for the 1204 classes of LVIS."""

import numpy as np
import pytest

from oasis_tf.metrics.confusion import Confusion, segmentation_scores


def test_by_hand():
    confusion = Confusion(4)
    labels = np.array([[0, 0, 1], [1, 1, 2]])
    predictions = np.array([[1, 0, 1], [1, 2, 2]])
    confusion.update(labels, predictions)
    confusion.update(labels[:1, 2:], predictions[:1, 2:])  # one more (1, 1)
    assert confusion.counts.tolist() == [[1, 1, 0, 0], [0, 3, 1, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    ignored = segmentation_scores(confusion.counts)
    # class 1: 3 hits, 4 labelled, 3 predicted; class 2: 1 hit, 1 labelled, 2 predicted.
    np.testing.assert_allclose(ignored.iou, [np.nan, 3 / 4, 1 / 2, np.nan])
    assert ignored.miou == pytest.approx(5 / 8)
    assert ignored.pixel_accuracy == pytest.approx(4 / 5)
    counted = segmentation_scores(confusion.counts, unlabelled="counted")
    # The unlabelled pixel that is called 1 is one too many.
    np.testing.assert_allclose(counted.iou, [np.nan, 3 / 5, 1 / 2, np.nan])
    assert counted.pixel_accuracy == pytest.approx(4 / 7)
    assert ignored.mean([1, 3]) == (pytest.approx(3 / 4), 1)
    assert np.isnan(ignored.mean([3])[0])


def test_many_classes(rng):
    n = 1204
    labels = rng.integers(0, n, (3, 40, 50))
    labels[rng.uniform(size=labels.shape) < 0.6] = 0
    predictions = np.where(rng.uniform(size=labels.shape) < 0.5, labels, rng.integers(0, n))
    confusion = Confusion(n)
    for pair in zip(labels, predictions, strict=True):
        confusion.update(*pair)
    scores = segmentation_scores(confusion.counts)
    inside = labels > 0
    for c in (*np.unique(labels)[1:60], n - 1):
        a, b = (labels == c) & inside, (predictions == c) & inside
        expected = (a & b).sum() / (a | b).sum() if a.any() else np.nan
        np.testing.assert_allclose(scores.iou[c], expected)
    assert scores.pixel_accuracy == pytest.approx((labels == predictions)[inside].mean())
    assert confusion.counts.nbytes < 2**24


def test_nothing_labelled():
    scores = segmentation_scores(np.diag([5, 0]))
    assert np.isnan(scores.miou) and np.isnan(scores.pixel_accuracy)


def test_bad_input():
    with pytest.raises(ValueError, match=r"labels must be in \[0, 3\). Received: 0..3"):
        Confusion(3).update(np.array([0, 3]), np.array([0, 0]))
    with pytest.raises(ValueError, match="one shape"):
        Confusion(3).update(np.zeros(2, int), np.zeros(3, int))
    with pytest.raises(ValueError, match="ignored or counted"):
        segmentation_scores(np.eye(2), unlabelled="maybe")
