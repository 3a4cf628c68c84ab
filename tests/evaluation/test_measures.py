"""What is measured of a chunk, against plain loops."""

import types

import numpy as np
import pytest

from oasis_tf.evaluation.frequency import picture_counts
from oasis_tf.evaluation.measures import Appearance, Diversity, Judgement, ms_ssim_of_pairs
from oasis_tf.evaluation.pictures import Chunk, Sampler, chunks
from oasis_tf.metrics.confusion import Confusion, segmentation_scores
from oasis_tf.metrics.ms_ssim import ms_ssim
from oasis_tf.segmenters.segmenter import Segmenter
from tests.toy_data import build_records

NAMES = ("unlabelled", "a", "b", "c")


class FakeSynthesizer:
    """A picture's red is its seed; an edit's green is the id of the class redrawn."""

    class_names = NAMES

    def synthesize(self, label_map, *, seed, samples=1):
        pictures = np.zeros((samples, *label_map.shape, 3), np.uint8)
        pictures[..., 0] = seed + np.arange(samples)[:, None, None]
        return pictures

    def edit(self, label_map, *, seed, classes, samples):
        pictures = self.synthesize(label_map, seed=seed, samples=samples)
        pictures[..., 1] = NAMES.index(classes[0])
        return types.SimpleNamespace(images=pictures)


@pytest.fixture
def chunk(rng):
    label_maps = rng.integers(0, 4, (3, 20, 24)).astype(np.int32)
    label_maps[2] = 0
    label_maps[0, :12] = 2
    real = rng.integers(0, 256, (3, 20, 24, 3), np.uint8)
    return Chunk(5, ("x", "y", "z"), label_maps, real, Sampler(FakeSynthesizer(), 10))


def test_pictures_are_numbered_over_the_split(chunk):
    assert chunk.fake[:, 0, 0, 0].tolist() == [15, 16, 17]


def test_judgement(chunk, rng):
    answers = rng.integers(0, 3, (3, 20, 24))
    turn = iter(answers)
    segmenter = Segmenter(lambda _: next(turn)[None], NAMES[1:], 0, 1, {"name": "fake"})
    evaluated = ("a", "c")
    measured = Judgement(segmenter, NAMES, evaluated, of_model=True)(chunk)
    # Class b counts as unlabelled, on both sides.
    labels = np.where(chunk.label_maps == 2, 0, chunk.label_maps)
    predictions = np.where(answers + 1 == 2, 0, answers + 1)
    whole = Confusion(4)
    whole.update(labels, predictions)
    found = Confusion(4)
    found.add(measured["keys"], measured["counts"])
    np.testing.assert_array_equal(found.counts, whole.counts)
    for i in range(3):
        single = Confusion(4)
        single.update(labels[i], predictions[i])
        expected = segmentation_scores(single.counts).miou
        np.testing.assert_allclose(measured["picture_miou"][i], expected)
    assert np.isnan(measured["picture_miou"][2])


def test_appearance_counts_every_pixel(chunk):
    for of_model in (False, True):
        measured = Appearance(4, of_model)(chunk)
        per_class = np.bincount(chunk.label_maps.reshape(-1), minlength=4)
        for histogram in measured.values():
            np.testing.assert_array_equal(histogram.sum(axis=-1), np.tile(per_class, (3, 1)).T)


def test_diversity(chunk):
    def distances(pictures):
        assert len(pictures) == 4
        return pictures[:, 0, 0, :2].astype(float)  # first seed + 1.5, class redrawn

    measured = Diversity(distances, {}, samples=4, maps=None)(chunk)
    np.testing.assert_allclose(measured["global"], [(15 + 1.5) / 2, 17.5 / 2, 18.5 / 2])
    largest = np.bincount(chunk.label_maps[1].reshape(-1))[1:].argmax() + 1
    expected = [(16.5 + 2) / 2, (17.5 + largest) / 2, np.nan]  # nothing is labelled in the last
    np.testing.assert_allclose(measured["local"], expected)


def test_diversity_of_the_first_maps(chunk):
    measured = Diversity(lambda pictures: [1.0], {}, samples=2, maps=6)(chunk)
    np.testing.assert_array_equal(np.isnan(measured["global"]), [False, True, True])


def test_all_pairs(rng):
    pictures = rng.integers(0, 256, (5, 20, 30, 3), np.uint8)
    expected = [
        ms_ssim(pictures[i : i + 1], pictures[j : j + 1])[0] for i in range(5) for j in range(i)
    ]
    np.testing.assert_allclose(sorted(ms_ssim_of_pairs(pictures)), sorted(expected), atol=1e-5)


def test_chunks_and_counts_of_records(tmp_path, monkeypatch):
    from oasis_tf.evaluation import pictures

    monkeypatch.setattr(pictures, "CHUNK", 2)
    records = build_records(tmp_path, images=5)
    sampler = Sampler(FakeSynthesizer(), 0)
    found = list(chunks(records, "train", sampler))
    assert [(chunk.first, len(chunk.names)) for chunk in found] == [(0, 2), (2, 2), (4, 1)]
    assert [len(c.names) for c in chunks(records, "train", sampler, 3)] == [2, 1]
    # Validation pictures are stored as large as they are read; training ones larger.
    (chunk,) = chunks(records, "val", sampler, 2)
    (other,) = list(chunks(records, "val", sampler))[1:]
    label_maps = np.concatenate([chunk.label_maps, other.label_maps])
    expected = [sum((label_map == c).any() for label_map in label_maps) for c in range(4)]
    assert picture_counts(records, "val").tolist() == expected
