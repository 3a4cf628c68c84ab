"""The score of a generator by a segmentation network that has learnt from photographs."""

import tensorflow as tf

from oasis_tf.metrics.confusion import Confusion, segmentation_scores
from oasis_tf.training.pictures import to_uint8
from oasis_tf.training.randomness import Purpose, step_noise


class JudgeScore:
    """mIoU and pixel accuracy of generated validation pictures.

    The noise is that of `DiscriminatorScore`, not that of `oasis_tf.evaluate`, so the numbers of
    the two differ a little.

    Args:
        generator: the `Generator` to score (the averaged one).
        segmenter: `oasis_tf.metrics.segmenter.Segmenter`.
        class_names: N names of the data set.
        seed: int, of the noise.

    Raises:
        DataError: the segmenter has no class in common with the data set.
    """

    def __init__(self, generator, segmenter, class_names, *, seed):
        self._generator = generator
        self._segmenter = segmenter
        self._table = segmenter.table(class_names)
        self._seed = seed
        self._draw = tf.function(generator, autograph=False)

    def __call__(self, batches):
        """Scores over a data set.

        Args:
            batches: as for `DiscriminatorScore`.

        Returns:
            {"judge/miou", "judge/accuracy": float}, of labelled pixels, 0 where there are none.
        """
        confusion = Confusion(self._generator.num_classes)
        for index, batch in enumerate(batches):
            label_map = batch["label_map"]
            shape = (label_map.shape[0], self._generator.noise_channels)
            noise = step_noise(shape, self._seed, index, Purpose.VALIDATION)
            valid = batch["valid"].numpy()
            pictures = to_uint8(self._draw(label_map, noise))[valid]
            predictions = self._segmenter(pictures, self._table)
            confusion.update(label_map.numpy()[valid], predictions)
        scores = segmentation_scores(confusion.counts)
        if not confusion.counts[1:].any():
            return {"judge/miou": 0.0, "judge/accuracy": 0.0}
        return {"judge/miou": scores.miou, "judge/accuracy": scores.pixel_accuracy}
