"""The pictures that are compared: real ones as they come, generated ones when they are needed."""

import contextlib
import functools
from dataclasses import dataclass

import numpy as np

from data_pipeline.errors import DataError
from data_pipeline.reading.reader import eval_dataset

CHUNK = 32  # pictures measured, and stored in the cache, together


@dataclass(frozen=True)
class Chunk:
    """Consecutive pictures of a split.

    Attributes:
        first: number of the first one in the split.
        names: n names.
        label_maps: int32 (n, H, W).
        real: uint8 (n, H, W, 3).
        sampler: `Sampler`.
    """

    first: int
    names: tuple[str, ...]
    label_maps: np.ndarray
    real: np.ndarray
    sampler: "Sampler"

    def pictures(self, *, of_model):
        """uint8 (n, H, W, 3): the generated ones, or the real ones."""
        return self.fake if of_model else self.real

    @functools.cached_property
    def fake(self):
        """uint8 (n, H, W, 3): picture number i is drawn with seed + i."""
        numbers = range(self.first, self.first + len(self.label_maps))
        return np.stack(
            [
                self.sampler.generate(label_map, number)
                for number, label_map in zip(numbers, self.label_maps, strict=True)
            ]
        )


class Sampler:
    """The model under evaluation.

    Args:
        synthesizer: `oasis_tf.sampling.synthesizer.Synthesizer`.
        seed: of the evaluation.
    """

    def __init__(self, synthesizer, seed):
        self._synthesizer = synthesizer
        self._seed = seed

    def generate(self, label_map, number):
        """The generated picture of number `number` of the split, uint8 (H, W, 3)."""
        with _only_finite():
            return self._synthesizer.synthesize(label_map, seed=self._seed + number)[0]

    def resample(self, label_map, number, samples):
        """That picture and others of the same label map, uint8 (samples, H, W, 3)."""
        with _only_finite():
            return self._synthesizer.synthesize(
                label_map, seed=self._seed + number, samples=samples
            )

    def resample_locally(self, label_map, number, samples):
        """That picture with its largest labelled class redrawn; None where nothing is labelled."""
        counts = np.bincount(label_map.reshape(-1))
        counts[0] = 0
        if not counts.any():
            return None
        name = self._synthesizer.class_names[int(counts.argmax())]
        seed = self._seed + number
        with _only_finite():
            return self._synthesizer.edit(
                label_map, seed=seed, classes=[name], samples=samples
            ).images


def chunks(data_dir, split, sampler, limit=None):
    """Yields the `Chunk`s of a split, up to `limit` pictures."""
    first = 0
    for batch in eval_dataset(data_dir, batch_size=CHUNK, split=split, as_bytes=True):
        count = int(np.count_nonzero(batch["valid"]))
        if limit is not None:
            count = min(count, limit - first)
        if not count:
            return
        names = tuple(name.decode() for name in batch["name"].numpy()[:count])
        label_maps = batch["label_map"].numpy()[:count]
        yield Chunk(first, names, label_maps, batch["image"].numpy()[:count], sampler)
        first += count


@contextlib.contextmanager
def _only_finite():
    """Makes an error of numbers that are no colours; NumPy meets them as it makes bytes of them."""
    try:
        with np.errstate(invalid="raise"):
            yield
    except FloatingPointError:
        raise DataError(
            "the model must draw finite numbers. Received: NaN; its weights are broken"
        ) from None
