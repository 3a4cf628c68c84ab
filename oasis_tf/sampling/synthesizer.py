"""A trained model in the hand: label maps in, pictures out."""

from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from data_pipeline.errors import DataError
from oasis_tf.sampling.arguments import is_whole, to_label_map
from oasis_tf.sampling.receptive_field import reach
from oasis_tf.sampling.regions import class_id, find_region
from oasis_tf.sampling.seeds import sample_seeds
from oasis_tf.sampling.spread import Spread

# At full width a picture of this size takes 12 GB.
MAX_PIXELS = 2**21


class Source(NamedTuple):
    """What a model's weights were read from.

    Attributes:
        title: in a few words, "runs/x step 400 (best)".
        checkpoint: path of the checkpoint; None of a SavedModel.
    """

    title: str
    checkpoint: str | None


class Edit(NamedTuple):
    """An edited picture.

    Attributes:
        original: uint8 (H, W, 3).
        mask: bool (H, W), the edited region.
        images: uint8 (samples, H, W, 3).
    """

    original: np.ndarray
    mask: np.ndarray
    images: np.ndarray


class Synthesizer:
    """Draws pictures; made by `oasis_tf.load`.

    A picture is a function of the model, the label map and the seed: the same to the last bit
    alone and among others, for the network always draws one picture at a time (in a batch its
    sums would be rounded differently). Sample k of seed s is the picture of seed s + k.

    A label map is an int array (h, w) of class ids, index into `class_names`, 0 = unlabelled.
    Height and width may be anything: a model draws at the nearest size it can (multiples of 32),
    to which label maps are resized nearest, and the picture is resized to the size asked for.

    Args:
        backend: `oasis_tf.sampling.generator_backend.GeneratorBackend` or another with its methods.
        legend: `data_pipeline.labels.legend.Legend`, the classes.
        image_size: (height, width) of training.
        source: `Source` of the weights. Defaults to None, of weights that were not read.

    Attributes:
        class_names: N names, the first is "unlabelled".
        palette: uint8 (N, 3), the classes' colours.
        image_size: (height, width) the model was trained at, at which it draws best.
        legend: the `Legend`.
        source: the `Source`.
    """

    def __init__(self, backend, legend, image_size, source=None):
        self._backend = backend
        self.source = source
        self.legend = legend
        self.class_names = legend.class_names
        self.palette = np.array(legend.palette, np.uint8)
        self.image_size = tuple(image_size)

    @property
    def generator(self):
        """The averaged `oasis_tf.models.generator.Generator`, a Keras model; not to be changed.

        Raises:
            DataError (a ValueError): the model is an exported SavedModel, which has none.
        """
        return self._backend.generator

    def synthesize(
        self, label_map, *, seed=0, samples=1, per_class=False, per_segment=False, size=None
    ):
        """Draws pictures of one label map, or of several.

        Args:
            label_map: int (h, w), ids in [0, N), or (B, h, w).
            seed: int in [0, 2^31); sample k is the picture of seed + k, of each label map.
            samples: how many of each.
            per_class: a noise vector for each class instead of one for the picture.
            per_segment: a noise vector for each connected segment.
            size: (H, W) of the pictures. Defaults to that of the label map.

        Returns:
            uint8 (samples, H, W, 3), or (B, samples, H, W, 3): each picture is the one that its
            label map has alone.

        Raises:
            DataError (a ValueError): an argument that is not as above, or that the model does not
                offer.
        """
        label_map, seeds = np.asarray(label_map), sample_seeds(seed, samples)
        several = label_map.ndim == 3 and len(label_map) > 0
        label_maps = label_map if several else [label_map]
        for each in label_maps:  # before the first is drawn
            self._check(each, size)
        options = dict(per_class=per_class, per_segment=per_segment, size=size)
        pictures = [np.stack([*self.generate(each, seeds, **options)]) for each in label_maps]
        return np.stack(pictures) if several else pictures[0]

    def generate(self, label_map, seeds, *, per_class=False, per_segment=False, size=None):
        """As `synthesize`, of any seeds: yields uint8 (H, W, 3), one after the other."""
        spread = _spread(per_class, per_segment)
        label_map, size = self._check(label_map, size)
        label_map = _nearest(label_map, self._backend.run_size(size))
        for picture in self._backend.generate(label_map, seeds, spread):
            yield _resized(picture, size)

    def edit(
        self,
        label_map,
        *,
        seed=0,
        classes=None,
        mask=None,
        to_class=None,
        edit_seed=None,
        samples=1,
        per_class=False,
        per_segment=False,
        size=None,
    ):
        """Redraws a region of the picture that `synthesize` draws with `seed`.

        Inside of the region a pixel takes the noise that it has in the picture of the edit's
        seed. The change shows around the region too, for neighbouring pixels look at each other;
        farther from it than `oasis_tf.sampling.receptive_field.reach()` pixels (222, as the model
        draws) all pixels are those of the original.

        Args:
            label_map: int (h, w), ids in [0, N).
            seed: of the original.
            classes: the region as a list of class names or ids; "car#2" is the second connected
                segment of class car in reading order.
            mask: the region as an array (h, w), not 0 inside. Either this or `classes`.
            to_class: name or id of the class that the region gets. Defaults to None: as it is.
            edit_seed: sample k of the edit takes edit_seed + k. Defaults to seed + 1 or, with
                `to_class`, to seed, so that the first edit keeps the noise.
            samples: how many edits.
            per_class, per_segment, size: as for `synthesize`.

        Returns:
            An `Edit`.

        Raises:
            DataError (a ValueError): as for `synthesize`; an empty region; both or none given.
        """
        spread = _spread(per_class, per_segment)
        label_map, size = self._check(label_map, size)
        region = find_region(label_map, self.legend, classes, mask)
        if region is None:
            raise DataError("an edit must have `classes` or a `mask`. Received: neither")
        edited = label_map
        if to_class is not None:
            edited = np.where(region, class_id(to_class, self.legend), label_map)
        if edit_seed is None:
            edit_seed = seed if to_class is not None else seed + 1
        original_seeds = sample_seeds(seed, 1)
        edit_seeds = sample_seeds(edit_seed, samples, "edit_seed")
        run_size = self._backend.run_size(size)
        label_map, edited = (_nearest(a, run_size) for a in (label_map, edited))
        inside = _inside(region, run_size)
        (original,) = self._backend.generate(label_map, original_seeds, spread)
        far = _far_from(inside)
        images = self._backend.edit(label_map, edited, inside, seed, edit_seeds, spread)
        images = [_resized(_keep(image, original, far), size) for image in images]
        mask = _nearest(region, size).astype(bool)
        return Edit(_resized(original, size), mask, np.stack(images))

    def interpolate(
        self,
        label_map,
        *,
        seed=0,
        to_seed=1,
        frames=8,
        linear=False,
        classes=None,
        mask=None,
        per_class=False,
        per_segment=False,
        size=None,
    ):
        """Goes from the picture of one seed to that of another, as a whole or in a region.

        Args:
            label_map: int (h, w), ids in [0, N).
            seed: of the first frame.
            to_seed: of the last frame (inside of the region).
            frames: how many, 2 at least.
            linear: on the straight line between the noise vectors instead of on the arc.
            classes, mask: the region, as for `edit`. Defaults to the whole picture.
            per_class, per_segment, size: as for `synthesize`.

        Returns:
            uint8 (frames, H, W, 3).

        Raises:
            DataError (a ValueError): as for `edit`.
        """
        spread = _spread(per_class, per_segment)
        label_map, size = self._check(label_map, size)
        region = find_region(label_map, self.legend, classes, mask)
        if not is_whole(frames) or frames < 2:
            raise DataError(f"`frames` must be 2 or more. Received: {frames}")
        ends = sample_seeds(seed, 1) + sample_seeds(to_seed, 1, "to_seed")
        run_size = self._backend.run_size(size)
        label_map = _nearest(label_map, run_size)
        if region is None:
            region = np.ones(run_size, bool)
        inside = _inside(region, run_size)
        ways = np.linspace(0, 1, frames).tolist()
        far = _far_from(inside)
        first, pictures = None, []
        for picture in self._backend.interpolate(label_map, inside, ends, ways, linear, spread):
            first = picture if first is None else first
            pictures.append(_resized(_keep(picture, first, far), size))
        return np.stack(pictures)

    def _check(self, label_map, size):
        """The label map as int32 (h, w), and the size of the picture."""
        label_map = to_label_map(label_map, len(self.class_names))
        size = tuple(label_map.shape if size is None else size)
        if len(size) != 2 or not all(is_whole(n) and n > 0 for n in size):
            raise DataError(f"a size must be height and width in pixels. Received: {size}")
        if size[0] * size[1] > MAX_PIXELS:
            raise DataError(
                f"a picture must have at most {MAX_PIXELS} pixels, such as 1024x2048; ask for a "
                f"smaller size. Received: {size[0]}x{size[1]}"
            )
        return label_map, size


def _spread(per_class, per_segment):
    if per_class and per_segment:
        raise DataError("`per_class` and `per_segment` exclude each other. Received: both")
    return Spread.CLASS if per_class else Spread.SEGMENT if per_segment else Spread.PICTURE


def _nearest(array, size):
    if array.shape == size:
        return array
    resized = Image.fromarray(array.astype(np.int32)).resize(size[::-1], Image.Resampling.NEAREST)
    return np.asarray(resized)


def _inside(region, size):
    inside = _nearest(region, size).astype(bool)
    if not inside.any():
        raise DataError(
            "a region must not vanish where the picture is drawn smaller than the label map. "
            f"Received: a region of {region.sum()} pixels, drawn at {size[0]}x{size[1]}"
        )
    return inside


def _resized(picture, size):
    if picture.shape[:2] == size:
        return picture
    return np.asarray(Image.fromarray(picture).resize(size[::-1], Image.Resampling.BICUBIC))


def _far_from(inside):
    """Where a change inside cannot show, bool (H, W)."""
    return ~ndimage.maximum_filter(inside, 2 * reach() + 1, mode="constant")


def _keep(picture, original, far):
    # The generator would draw the same there, but for the last bit of some sums.
    return np.where(far[..., None], original, picture)
