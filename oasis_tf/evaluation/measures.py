"""What is measured of a chunk of pictures: each a dict of arrays, which the cache can keep.

A measure has a `key`, all that its numbers depend on beside the pictures, `of_model`, whether it
looks at generated pictures, and `summed`, whether the arrays of chunks are added up instead of
being kept one by one.
"""

import itertools

import numpy as np

from oasis_tf.metrics.confusion import pairs, segmentation_scores
from oasis_tf.metrics.histograms import (
    COLOUR_BINS,
    TEXTURE_BINS,
    class_histograms,
    colour_bins,
    texture_bins,
)
from oasis_tf.metrics.ms_ssim import ms_ssim

_BATCH = 8  # pictures that go through a network together


class Features:
    """`features` float32 (n, C) of a network.

    Args:
        network: function from uint8 (B, H, W, 3) to float32 (B, C), such as
            `oasis_tf.metrics.inception.InceptionFeatures`.
        about: {"measure": name, ...} for the key: which network it is.
        of_model: of the generated pictures instead of the real ones.
    """

    summed = False

    def __init__(self, network, about, of_model):
        self.of_model = of_model
        self.key = {**about, "version": 1}
        self._network = network

    def __call__(self, chunk):
        pictures = chunk.fake if self.of_model else chunk.real
        batches = [pictures[i : i + _BATCH] for i in range(0, len(pictures), _BATCH)]
        return {"features": np.concatenate([self._network(batch) for batch in batches])}


class Judgement:
    """What a segmenter sees: confusion counts, and each picture's mIoU.

    `keys`, `counts` int64 (k,): `oasis_tf.metrics.confusion.pairs`; `picture_miou` float (n,).

    Args:
        segmenter: `oasis_tf.segmenters.segmenter.Segmenter`.
        class_names: N names of the data set.
        evaluated: names of the classes that count, None for all.
        of_model: see `Features`.
    """

    summed = False

    def __init__(self, segmenter, class_names, evaluated, of_model):
        self.of_model = of_model
        self._segmenter = segmenter
        self._table = segmenter.table(class_names, evaluated)
        kept = [i for i, name in enumerate(class_names) if evaluated is None or name in evaluated]
        self._kept = np.zeros(len(class_names), np.int32)
        self._kept[kept] = kept
        self.key = {
            "measure": "judgement",
            "version": 1,
            "segmenter": segmenter.about,
            "table": self._table.tolist(),
            "evaluated": evaluated,
        }

    def __call__(self, chunk):
        size = len(self._kept)
        keys, counts, scores = [], [], []
        pictures = chunk.fake if self.of_model else chunk.real
        predictions = self._segmenter(pictures, self._table)
        for labels, predicted in zip(self._kept[chunk.label_maps], predictions, strict=True):
            found = pairs(labels, predicted, size)
            keys.append(found[0])
            counts.append(found[1])
            # Renumbered, for a matrix of all classes per picture would take seconds.
            ids, small = np.unique([labels, predicted], return_inverse=True)
            if ids[0] != 0:
                ids, small = np.insert(ids, 0, 0), small + 1
            small = small.reshape(2, -1)
            matrix = np.bincount(small[0] * len(ids) + small[1], minlength=len(ids) ** 2)
            scores.append(segmentation_scores(matrix.reshape(len(ids), -1)).miou)
        return {
            "keys": np.concatenate(keys),
            "counts": np.concatenate(counts),
            "picture_miou": np.array(scores),
        }


class Appearance:
    """`colour` int64 (N, 3, 32) and `texture` int64 (N, 3, 10), pixels per class and bin.

    Args:
        num_classes: N.
        of_model: see `Features`.
    """

    key = {"measure": "appearance", "version": 1}
    # With the classes of LVIS a chunk's counts are 1.2 MB, and a split has many chunks.
    summed = True

    def __init__(self, num_classes, of_model):
        self.of_model = of_model
        self._num_classes = num_classes

    def __call__(self, chunk):
        result = {"colour": 0, "texture": 0}
        pictures = chunk.fake if self.of_model else chunk.real
        for picture, label_map in zip(pictures, chunk.label_maps, strict=True):
            for name, bins, size in (
                ("colour", colour_bins(picture), COLOUR_BINS),
                ("texture", texture_bins(picture), TEXTURE_BINS),
            ):
                result[name] += class_histograms(bins, size, label_map, self._num_classes)
        return result


class Diversity:
    """Mean over the pairs of samples of each label map, resampled globally and locally.

    `global`, `local` float64 (n,); NaN where nothing is labelled, so that nothing can be redrawn
    locally, and beyond the first `maps` pictures of the split.

    Args:
        distances: function from uint8 (samples, H, W, 3) to the numbers of all pairs.
        about: {"measure": name, ...} for the key.
        samples: pictures per label map.
        maps: how many label maps, None for all.
    """

    of_model = True
    summed = False

    def __init__(self, distances, about, samples, maps):
        self._distances = distances
        self._samples = samples
        self._maps = maps
        self.key = {**about, "version": 1, "samples": samples, "maps": maps}

    def __call__(self, chunk):
        wanted = len(chunk.names)
        if self._maps is not None:
            wanted = min(wanted, max(0, self._maps - chunk.first))
        means = np.full((2, len(chunk.names)), np.nan)
        for i in range(wanted):
            for row, resample in enumerate(
                (chunk.sampler.resample, chunk.sampler.resample_locally)
            ):
                pictures = resample(chunk.label_maps[i], chunk.first + i, self._samples)
                if pictures is not None:
                    means[row, i] = np.mean(self._distances(pictures))
        return {"global": means[0], "local": means[1]}


def ms_ssim_of_pairs(pictures):
    """MS-SSIM of all pairs of uint8 (n, H, W, 3): float array (n (n - 1) / 2,)."""
    first, second = np.array(list(itertools.combinations(range(len(pictures)), 2))).T
    parts = range(0, len(first), _BATCH)
    return np.concatenate(
        [ms_ssim(pictures[first[i : i + _BATCH]], pictures[second[i : i + _BATCH]]) for i in parts]
    )


def lpips_of_pairs(lpips):
    """As `ms_ssim_of_pairs`, of an `oasis_tf.metrics.lpips.Lpips`."""

    def distances(pictures):
        # Through the network one by one, for VGG's first layers are large.
        features = [lpips.features(pictures[i : i + 1]) for i in range(len(pictures))]
        return np.array([lpips.between(a, b)[0] for a, b in itertools.combinations(features, 2)])

    return distances
