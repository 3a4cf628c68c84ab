"""The discriminator's score, with a discriminator whose answers are known."""

import numpy as np
import tensorflow as tf

from oasis_tf.training.score import DiscriminatorScore


class FakeGenerator:
    """Paints the number of a class, as a colour; the noise is ignored."""

    num_classes, noise_channels = 4, 2

    def __init__(self, mistakes):
        self.mistakes = tf.constant(mistakes, tf.int32)

    def __call__(self, label_map, noise):
        painted = tf.gather(self.mistakes, label_map)
        return tf.cast(tf.stack([painted] * 3, axis=-1), tf.float32)


class FakeDiscriminator:
    """Reads the number; calls the picture fake, with the class as its second choice."""

    def features(self, image):
        return image

    def last(self, features):
        classes = tf.one_hot(tf.cast(features[..., 0], tf.int32), 4)
        return tf.concat([2 * tf.ones_like(classes[..., :1]), classes], axis=-1)


def batches(label_maps, batch_size):
    for i in range(0, len(label_maps), batch_size):
        part = label_maps[i : i + batch_size]
        valid = np.arange(batch_size) < len(part)
        part = np.concatenate([part, np.zeros((batch_size - len(part), *part.shape[1:]), int)])
        image = np.repeat(part[..., None], 3, axis=-1).astype(np.float32)
        yield {
            "image": tf.constant(image),
            "label_map": tf.constant(part, tf.int32),
            "valid": tf.constant(valid),
        }


def test_by_hand():
    # Three pictures of 1x4 pixels; class 3 is painted as class 2.
    label_maps = np.array([[[1, 1, 2, 0]], [[3, 2, 0, 0]], [[1, 3, 3, 0]]])
    score = DiscriminatorScore(FakeGenerator([0, 1, 2, 2]), FakeDiscriminator(), seed=0)
    for batch_size in (1, 2, 3):
        result = score(batches(label_maps, batch_size))
        # class 1: 3 of 3; class 2: 2 pixels, answered 5 times: 2/5; class 3: 0 of 3.
        np.testing.assert_allclose(result["score/miou"], (1 + 2 / 5 + 0) / 3, rtol=1e-6)
        np.testing.assert_allclose(result["score/accuracy"], 5 / 8, rtol=1e-6)
        # On photographs, where nothing is painted wrongly, its second choice is right.
        assert result["discriminator/real_accuracy"] == 1
        # It calls everything fake.
        assert result["discriminator/real_as_fake"] == 1
        assert result["discriminator/fake_as_fake"] == 1


def test_nothing_labelled():
    score = DiscriminatorScore(FakeGenerator([0, 1, 2, 2]), FakeDiscriminator(), seed=0)
    result = score(batches(np.zeros((2, 1, 4), int), 2))
    assert result["score/miou"] == 0
    assert result["discriminator/fake_as_fake"] == 1


class NoisyGenerator(FakeGenerator):
    """Paints what it should where its noise is positive, and class 1 elsewhere."""

    def __init__(self):
        self.sizes = set()

    def __call__(self, label_map, noise):
        self.sizes.add(label_map.shape[0])
        right = noise[:, :1, None] > 0
        return tf.cast(tf.stack([tf.where(right, label_map, 1)] * 3, axis=-1), tf.float32)


def test_in_parts_the_numbers_are_the_same(rng):
    label_maps = rng.integers(0, 4, (10, 1, 4))
    results = []
    for parts in (1, 2, 4):
        generator = NoisyGenerator()
        score = DiscriminatorScore(generator, FakeDiscriminator(), seed=0, parts=parts)
        results.append(score(batches(label_maps, 4)))
        assert generator.sizes == {4 // parts}
    assert 0 < results[0]["score/miou"] < 1
    assert results[0] == results[1] == results[2]
