"""Confusion matrix, and what is read off it: IoU per class, its means, pixel accuracy."""

from typing import NamedTuple

import numpy as np


class Confusion:
    """Counts of (label, prediction) pairs; 12 MB for the 1204 classes of LVIS.

    Args:
        num_classes: N; ids are in [0, N), 0 = unlabelled.

    Attributes:
        counts: int64 (N, N), rows = labels, columns = predictions.
    """

    def __init__(self, num_classes):
        self.counts = np.zeros((num_classes, num_classes), np.int64)

    def update(self, labels, predictions):
        """Adds pixels.

        Args:
            labels: int array of any shape, ids in [0, N).
            predictions: int array of the same shape.

        Raises:
            ValueError: shapes that differ, or ids out of range.
        """
        labels, predictions = np.asarray(labels), np.asarray(predictions)
        if labels.shape != predictions.shape:
            raise ValueError(
                "labels and predictions must have one shape. "
                f"Received: {labels.shape} and {predictions.shape}"
            )
        self.add(*pairs(labels, predictions, len(self.counts)))

    def add(self, keys, counts):
        """Adds what `pairs` has counted."""
        np.add.at(self.counts.reshape(-1), keys, counts)


def pairs(labels, predictions, num_classes):
    """The (label, prediction) pairs that occur: few, also where there are many classes.

    Returns:
        int64 (k,), label * N + prediction, and their int64 counts (k,).

    Raises:
        ValueError: ids out of range.
    """
    for name, ids in (("labels", labels), ("predictions", predictions)):
        if ids.size and not 0 <= ids.min() <= ids.max() < num_classes:
            raise ValueError(
                f"{name} must be in [0, {num_classes}). Received: {ids.min()}..{ids.max()}"
            )
    return np.unique(labels.astype(np.int64) * num_classes + predictions, return_counts=True)


class Segmentation(NamedTuple):
    """Scores of a confusion matrix.

    Attributes:
        miou: mean of `iou` over the classes that have labelled pixels; NaN if there are none.
        pixel_accuracy: share of the counted pixels that are right; NaN if there are none.
        iou: float (N,), NaN for classes without labelled pixels, which no mean includes.
    """

    miou: float
    pixel_accuracy: float
    iou: np.ndarray

    def mean(self, classes):
        """(mean IoU of those of `classes` that have labelled pixels, how many those are)."""
        values = self.iou[list(classes)]
        values = values[~np.isnan(values)]
        return (float(values.mean()) if len(values) else float("nan")), len(values)


def segmentation_scores(counts, *, unlabelled="ignored"):
    """Scores of a confusion matrix whose class 0 is "unlabelled".

    Class 0 itself is never one of the averaged classes.

    Args:
        counts: int (N, N), rows = labels, columns = predictions.
        unlabelled: "ignored", unlabelled pixels do not count, or "counted", what is predicted
            there is wrong: it enlarges the predicted class's union and lowers the accuracy.

    Returns:
        `Segmentation`.

    >>> scores = segmentation_scores(np.array([[0, 2, 0], [0, 3, 1], [0, 0, 4]]))
    >>> scores.iou.tolist(), scores.pixel_accuracy
    ([nan, 0.75, 0.8], 0.875)
    """
    if unlabelled not in ("ignored", "counted"):
        raise ValueError(f"`unlabelled` must be ignored or counted. Received: {unlabelled}")
    counts = np.asarray(counts)
    counted = counts[1:] if unlabelled == "ignored" else counts
    hits = np.diagonal(counts)
    labelled = counts.sum(axis=1)
    union = labelled + counted.sum(axis=0) - hits
    iou = np.full(len(counts), np.nan)
    present = labelled > 0
    present[0] = False
    iou[present] = hits[present] / union[present]
    total = counted.sum()
    return Segmentation(
        float(iou[present].mean()) if present.any() else float("nan"),
        float(hits[1:].sum() / total) if total else float("nan"),
        iou,
    )
