"""Draws with a generator in memory."""

import tensorflow as tf

from oasis_tf.execution import compiled
from oasis_tf.images import to_uint8
from oasis_tf.models.generator import SCALES
from oasis_tf.models.padded_index import SHARES, pad_together
from oasis_tf.models.patch_index import Patches, PatchIndex
from oasis_tf.sampling.noise import class_noise, global_noise, interpolate, segment_noise, within
from oasis_tf.sampling.spread import Spread

_MULTIPLE = max(SCALES)


def _ids(*shape):
    return tf.TensorSpec(shape, tf.int32)


_LAYOUT = PatchIndex(
    labels=_ids(None),
    vectors=_ids(None),
    levels=tuple(Patches(_ids(None, 9), _ids(None, 9), _ids(1, None, None)) for _ in SCALES),
)


class GeneratorBackend:
    """Pictures of one label map for several seeds; the label map is analysed once.

    Label maps are int32 (H, W) with ids in range, H and W as `run_size` says; seeds are checked.
    Pictures are uint8 (H, W, 3).

    Args:
        generator: `oasis_tf.models.generator.Generator`.
        jit_compile: XLA compiles the generator, once for each size of pictures and of patch
            indices (`pad_together`). Defaults to False.

    Attributes:
        generator: as given.
    """

    def __init__(self, generator, *, jit_compile=False):
        self.generator = generator
        self._jit_compile = jit_compile
        # One graph for all sizes, which are those of the tensors of the patch index.
        self._graph = compiled(
            generator.generate,
            jit_compile,
            input_signature=(_LAYOUT, tf.TensorSpec((None, generator.noise_channels))),
        )

    def run_size(self, size):
        """The possible size that is nearest to `size`, (height, width)."""
        return tuple(max(_MULTIPLE, (n + _MULTIPLE // 2) // _MULTIPLE * _MULTIPLE) for n in size)

    def generate(self, label_map, seeds, spread):
        """Yields the picture of each seed."""
        noises = (self._noise(label_map, seed, spread) for seed in seeds)
        yield from self._generate(label_map, noises)

    def edit(self, label_map, edited, inside, seed, edit_seeds, spread):
        """Yields, for each of `edit_seeds`, the picture of `seed` with a region redrawn.

        Args:
            label_map: of the original.
            edited: the label map with the region's classes changed; the same one if they are not.
            inside: bool (H, W), the region.
            seed: of the original.
            edit_seeds: whose noise the region takes.
            spread: `Spread`.
        """
        noise = self._noise(label_map, seed, spread)
        noises = (
            within(noise, self._noise(edited, edit_seed, spread), inside[None])
            for edit_seed in edit_seeds
        )
        yield from self._generate(edited, noises)

    def interpolate(self, label_map, inside, ends, ways, linear, spread):
        """Yields pictures whose region goes from the noise of one seed to that of another.

        Args:
            label_map: of the pictures.
            inside: bool (H, W), the region.
            ends: the two seeds.
            ways: numbers in [0, 1], how far to go.
            linear: on the straight line instead of on the arc.
            spread: `Spread`.
        """
        a, b = (self._noise(label_map, seed, spread) for seed in ends)
        noises = (within(a, interpolate(a, b, t, linear=linear), inside[None]) for t in ways)
        yield from self._generate(label_map, noises)

    def _noise(self, label_map, seed, spread):
        channels = self.generator.noise_channels
        if spread is Spread.CLASS:
            return class_noise([seed], label_map[None], self.generator.num_classes, channels)
        if spread is Spread.SEGMENT:
            return segment_noise([seed], label_map[None], channels)
        return global_noise([seed], channels)

    def _generate(self, label_map, noises):
        label_map = tf.constant(label_map[None], tf.int32)
        patch_index = None
        for noise, noise_map in noises:
            if patch_index is None:  # the map of vectors is the same for all of them
                patch_index, _ = self.generator.index(label_map, noise, noise_map)
                if self._jit_compile:
                    vectors = 1 if noise_map is None else noise.shape[1]
                    most = self.generator.num_classes * vectors
                    (patch_index,) = pad_together([patch_index], most, SHARES)
            yield to_uint8(self._graph(patch_index, self.generator.vectors(noise))[0])
