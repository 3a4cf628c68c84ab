"""The cheap score of a generator: how well its discriminator segments what it draws.

No other network is needed, so it works on anyone's data from the first step. It tells runs of
one data set apart and picks the best checkpoint; it is not the mIoU of the paper, which takes
a segmentation network trained on photographs.
"""

import numpy as np
import tensorflow as tf

from oasis_tf.losses.segmentation import class_counts
from oasis_tf.training.randomness import Purpose, step_noise


class DiscriminatorScore:
    """Segments generated and real validation pictures with the discriminator.

    Args:
        generator: the `Generator` to score (the averaged one).
        discriminator: the `Discriminator` that segments them.
        seed: int, of the noise.
        parts: how many parts of a batch are scored one after the other, for less memory; the
            noise is that of the whole one. Defaults to 1.
    """

    def __init__(self, generator, discriminator, *, seed, parts=1):
        self.generator = generator
        self.discriminator = discriminator
        self.seed = seed
        self.parts = parts
        self._count = tf.function(self._count_batch, autograph=False)

    def __call__(self, batches):
        """Scores over a data set.

        Args:
            batches: iterable of dicts with `image`, `label_map` and `valid`, as
                `data_pipeline.reading.reader.eval_dataset` yields them, of a multiple of `parts`
                pictures.

        Returns:
            dict of floats in [0, 1]:
            score/miou: mean over the classes present of intersection over union between the
                label map and the discriminator's best real class on generated pictures,
                labelled pixels only;
            score/accuracy: share of those pixels where they agree;
            discriminator/real_accuracy: share of labelled pixels of photographs whose class is
                the discriminator's best real one;
            discriminator/real_as_fake: share of the photographs' pixels it calls fake;
            discriminator/fake_as_fake: share of the generated pixels it calls fake.
        """
        totals = None
        for index, batch in enumerate(batches):
            for part in self._split(batch, index):
                counts = {name: value.numpy() for name, value in self._count(*part).items()}
                if totals is None:
                    totals = counts
                else:
                    totals = {name: totals[name] + counts[name] for name in counts}
        intersection, labelled, predicted = totals["intersection"], totals["labels"], totals["best"]
        union = labelled + predicted - intersection
        present = labelled > 0
        if not present.any():
            miou = accuracy = real = 0.0
        else:
            miou = float(np.mean(intersection[present] / union[present]))
            accuracy = float(intersection.sum() / labelled.sum())
            real = float(totals["real_hits"] / labelled.sum())
        return {
            "score/miou": miou,
            "score/accuracy": accuracy,
            "discriminator/real_accuracy": real,
            "discriminator/real_as_fake": float(totals["real_as_fake"] / totals["pixels"]),
            "discriminator/fake_as_fake": float(totals["fake_as_fake"] / totals["pixels"]),
        }

    def _split(self, batch, index):
        """Yields each part of the batch with its noise."""
        shape = (batch["label_map"].shape[0], self.generator.noise_channels)
        noise = step_noise(shape, self.seed, index, Purpose.VALIDATION)
        size = shape[0] // self.parts
        for start in range(0, shape[0], size):
            rows = slice(start, start + size)
            yield {name: value[rows] for name, value in batch.items()}, noise[rows]

    def _count_batch(self, batch, noise):
        label_map = batch["label_map"]
        num_classes = self.generator.num_classes
        fake_as_fake, best = self._answers(self.generator(label_map, noise))
        real_as_fake, real_best = self._answers(batch["image"])
        valid = tf.broadcast_to(batch["valid"][:, None, None], tf.shape(label_map))
        labelled = valid & (label_map > 0)

        def histogram(values, mask):
            counts = class_counts(tf.boolean_mask(values, mask), num_classes)
            return tf.cast(counts, tf.int64)

        def count(mask):
            return tf.math.count_nonzero(mask)

        return {
            "labels": histogram(label_map, labelled),
            "best": histogram(best, labelled),
            "intersection": histogram(label_map, labelled & (best == label_map)),
            "real_hits": count(labelled & (real_best == label_map)),
            "real_as_fake": count(valid & real_as_fake),
            "fake_as_fake": count(valid & fake_as_fake),
            "pixels": count(valid),
        }

    def _answers(self, image):
        """Where the answer is "fake", bool (B, H, W), and the best of 1..N-1, int32 (B, H, W)."""

        def answers(features):
            logits = self.discriminator.last(features[None])[0]
            # The classes 1..N-1 compete: it has learnt to call generated pictures fake, and
            # unlabelled is no answer on a labelled pixel.
            best = tf.argmax(logits[..., 2:], axis=-1, output_type=tf.int32) + 1
            return tf.argmax(logits, axis=-1) == 0, best

        # Picture by picture: the logits of 1204 classes are larger than all the rest.
        shape = image.shape[1:3]
        signature = (tf.TensorSpec(shape, tf.bool), tf.TensorSpec(shape, tf.int32))
        features = self.discriminator.features(image)
        return tf.map_fn(answers, features, fn_output_signature=signature)
