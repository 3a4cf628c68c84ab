"""mIoU, against a confusion matrix of everything at once, and a segmenter that does not fit."""

import dataclasses

import numpy as np
import pytest

from oasis_tf.evaluation.metrics.metric import NotComputable
from oasis_tf.evaluation.metrics.miou import MIoU
from oasis_tf.evaluation.protocols import PROTOCOLS
from oasis_tf.metrics.confusion import Confusion, segmentation_scores
from oasis_tf.segmenters import segmenter as segmenters
from oasis_tf.segmenters.segmenter import Segmenter
from tests.evaluation.fakes import NAMES, a_manifest, a_request

ABOUT = {"name": "fake", "sha256": "abc"}


@pytest.fixture
def answers(rng, monkeypatch):
    """What the segmenter answers, int (3, 20, 24), channel numbers of the classes a, b, c."""
    answers = rng.integers(0, 3, (3, 20, 24))
    turn = iter([*answers, *answers])
    segmenter = Segmenter(lambda _: next(turn)[None], NAMES[1:], 0, 1, ABOUT)
    monkeypatch.setattr(segmenters, "load_segmenter", lambda path: segmenter)
    return answers


def of_classes(*evaluated):
    protocol = dataclasses.replace(PROTOCOLS["generic"], classes=evaluated or None)
    return MIoU(a_request(protocol=protocol, segmenter="path"), a_manifest())


def matrix(labels, predictions):
    confusion = Confusion(4)
    confusion.update(labels, predictions)
    return confusion.counts


def test_the_parts(answers):
    networks = {}
    metric = of_classes("a", "c")
    real, fake = metric.prepare(networks)
    assert networks["segmenter"].about == ABOUT and metric.segmenter_sha256 == "abc"
    assert (real.of_model, fake.of_model) == (False, True)
    assert real.key == fake.key
    assert real.key == {
        "measure": "judgement",
        "version": 1,
        "segmenter": ABOUT,
        "table": [1, 0, 3],
        "evaluated": ("a", "c"),
        "left_out": [],
    }
    assert metric.notices == []


def test_only_classes_that_count(chunk, answers):
    metric = of_classes("a", "c")
    parts = {part.name: [metric.measure(part, chunk)] for part in metric.prepare({})}
    # Class b counts as unlabelled, on both sides.
    labels = np.where(chunk.label_maps == 2, 0, chunk.label_maps)
    predictions = np.where(answers + 1 == 2, 0, answers + 1)
    (measured,) = parts["segmentation of fake"]
    found = Confusion(4)
    found.add(measured["keys"], measured["counts"])
    np.testing.assert_array_equal(found.counts, matrix(labels, predictions))
    ranking = metric.ranking(parts)
    for i in range(2):
        expected = segmentation_scores(matrix(labels[i], predictions[i])).miou
        np.testing.assert_allclose(ranking[i], expected)
    assert np.isnan(ranking[2])

    result = metric.result(parts)
    ious = []
    for c in (1, 3):
        hits = ((labels == c) & (predictions == c)).sum()
        wrong = ((labels > 0) & ((labels == c) != (predictions == c))).sum()
        ious.append(hits / (hits + wrong))
    assert result["value"] == pytest.approx(np.mean(ious))
    assert [(each["class"], each["iou"]) for each in result["per_class"]] == [
        ("a", pytest.approx(ious[0])),
        ("c", pytest.approx(ious[1])),
    ]
    # The segmenter gave the same answers for the photographs.
    assert result["of_photographs"]["miou"] == result["value"] and "groups" not in result
    assert metric.details(result)[1] == "2 classes"
    bars, confusion = metric.sections(result, parts)
    assert bars.startswith("<h2>IoU per class") and confusion.startswith("<h2>Confusion")


def test_a_class_that_the_segmenter_cannot_name(chunk, rng, monkeypatch):
    answers = rng.integers(0, 2, (3, 20, 24))
    turn = iter([*answers, *answers])
    segmenter = Segmenter(lambda _: next(turn)[None], ["A", "c"], 0, 1, ABOUT)
    monkeypatch.setattr(segmenters, "load_segmenter", lambda path: segmenter)
    metric = of_classes()
    parts = {part.name: [metric.measure(part, chunk)] for part in metric.prepare({})}
    line = "left out, for the segmenter cannot name 1 class: b"
    assert metric.notices == [line]
    result = metric.result(parts)
    assert (result["classes_left_out"], result["left_out"]) == (1, ["b"])
    assert metric.notes(result) == [line] and metric.details(result)[1] == "2 classes"
    # Its pixels are as unlabelled ones; the other two classes count as ever.
    labels = np.where(chunk.label_maps == 2, 0, chunk.label_maps)
    right = segmentation_scores(matrix(labels, np.array([1, 3])[answers]))
    assert result["value"] == pytest.approx(right.miou)
    assert [each["class"] for each in result["per_class"]] == ["a", "c"]


def test_nothing_labelled(chunk, answers):
    metric = of_classes()
    nothing = dataclasses.replace(chunk, label_maps=np.zeros_like(chunk.label_maps))
    parts = {part.name: [metric.measure(part, nothing)] for part in metric.prepare({})}
    with pytest.raises(NotComputable, match="no pixel of the split is labelled"):
        metric.result(parts)


def test_no_segmenter_and_one_that_does_not_fit(answers):
    networks = {}
    with pytest.raises(NotComputable, match="mIoU needs --segmenter PATH"):
        MIoU(a_request(), a_manifest()).prepare(networks)
    with pytest.raises(NotComputable, match="classes in common"):
        of_classes("elsewhere").prepare(networks)
    assert networks == {}
