"""The metrics of a request: which networks they need, and their values for a model."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from data_pipeline.errors import DataError, OasisError
from data_pipeline.files import sha256
from data_pipeline.records.manifest import Manifest
from oasis_tf.evaluation.cache import Cache
from oasis_tf.evaluation.frequency import frequency_groups, picture_counts
from oasis_tf.evaluation.measures import (
    Appearance,
    Diversity,
    Features,
    Judgement,
    lpips_of_pairs,
    ms_ssim_of_pairs,
)
from oasis_tf.evaluation.pictures import CHUNK, chunks
from oasis_tf.evaluation.protocols import Protocol
from oasis_tf.metrics import frozen
from oasis_tf.metrics.confusion import Confusion, segmentation_scores
from oasis_tf.metrics.frechet import FeatureStatistics, frechet_distance
from oasis_tf.metrics.frozen import MissingWeights
from oasis_tf.metrics.histograms import chi_square, earth_movers
from oasis_tf.metrics.kernel_distance import kernel_distance
from oasis_tf.metrics.ms_ssim import possible_scales
from oasis_tf.segmenters.segmenter import load_segmenter

METRICS = ("fid", "kid", "miou", "ms_ssim", "lpips", "colour", "texture")
_OF_FEATURES = ("fid", "kid")


class NotComputable(OasisError):
    """A metric has no value for this model and data; the message is the reason."""


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        metrics: names of `METRICS`.
        protocol: `Protocol`.
        split: of the data set.
        weights_dir: Path of the frozen networks' weights.
        features: "inception" or "segmenter", whose features fid and kid compare.
        segmenter: path or preset, or None.
        seed: picture number i is drawn with seed + i.
        samples: pictures per label map for diversity.
        diversity_maps: label maps that diversity looks at, None for all.
        max_images: pictures of the split that are looked at, None for all.
        download: fetch weights that are not there.
    """

    metrics: tuple[str, ...]
    protocol: Protocol
    split: str
    weights_dir: Path
    features: str = "inception"
    segmenter: str | None = None
    seed: int = 0
    samples: int = 20
    diversity_maps: int | None = None
    max_images: int | None = None
    download: bool = False


@dataclass(frozen=True)
class Scores:
    """What has been computed.

    Attributes:
        metrics: {`result_name`: JSON-able dict}; without "value" where "computed" is False.
        parts: {measure: list of its dicts of arrays}, for the report.
    """

    metrics: dict
    parts: dict


def result_name(metric, features):
    """The name of a metric in results: an FID of other features must not pass for the FID.

    >>> result_name("fid", "inception"), result_name("fid", "segmenter")
    ('fid', 'fid_by_segmenter')
    """
    other = metric in _OF_FEATURES and features != "inception"
    return f"{metric}_by_{features}" if other else metric


class Scoring:
    """Computes metrics on a data set, of one model or of many after each other.

    Args:
        request: `Request`.
        data_dir: Path of the records.
        cache_dir: Path; what was measured before, for the same of everything, is taken from there.
        writes: stores there what is measured.

    Attributes:
        networks: {role: JSON-able dict}, the networks that are used.
        failures: {metric: reason} of those that cannot be computed with these networks and sizes.
        total: number of pictures.
    """

    def __init__(self, request, data_dir, cache_dir, *, writes=True):
        self._request = request
        self._data_dir = data_dir
        self._manifest = Manifest.read(data_dir)
        self._cache = Cache(cache_dir, writes=writes)
        self._measures, self.networks, self.failures = {}, {}, {}
        for metric in request.metrics:
            try:
                _PREPARE[metric](request, self._manifest, self._measures, self.networks)
            except (MissingWeights, NotComputable) as reason:
                self.failures[metric] = str(reason)
        split = self._manifest.splits[request.split]
        self.total = split.examples
        if request.max_images is not None:
            self.total = min(self.total, request.max_images)
        self._data_key = {
            "shards": {shard.name: shard.sha256 for shard in split.shards},
            "size": self._manifest.image_size,
            "chunk": CHUNK,
            # Chunks cut short by `max_images` are others than whole ones.
            "images": self.total,
        }
        self._groups = None
        grouped = request.protocol.groups and "miou" in request.metrics
        if grouped and "train" in self._manifest.splits:
            self._groups = frequency_groups(picture_counts(data_dir))

    def __call__(self, sampler, model_key=None):
        """Computes.

        Args:
            sampler: `oasis_tf.evaluation.pictures.Sampler` of the model.
            model_key: JSON-able, all that its pictures depend on; None = nothing of this model
                is kept in the cache, and no progress bar is shown.

        Returns:
            `Scores`.

        Raises:
            DataError: the model draws what are no colours, or the records are damaged.
        """
        parts = self._measure(sampler, model_key)
        metrics = {}
        for name in self._request.metrics:
            try:
                if name in self.failures:
                    raise NotComputable(self.failures[name])
                value = _RESULTS[name](parts, self._manifest, self._request, self._groups)
                if name in _OF_FEATURES and self._request.features != "inception":
                    value["network"] = self.networks["features"]
                    value["about"] = _ONLY_SAME_JUDGE
                metric = {"computed": True, **value}
            except NotComputable as reason:
                metric = {"computed": False, "reason": str(reason)}
            metrics[result_name(name, self._request.features)] = metric
        return Scores(metrics, parts)

    def _measure(self, sampler, model_key):
        parts = {name: [] for name in self._measures}
        if not parts:
            return parts
        pictures = chunks(self._data_dir, self._request.split, sampler, self._request.max_images)
        with tqdm(
            total=self.total, unit="picture", desc="evaluate", disable=model_key is None
        ) as bar:
            for chunk in pictures:
                for name, measure in self._measures.items():
                    key = {**measure.key, **self._data_key}
                    if not measure.of_model:
                        part = self._cached(key, measure, chunk)
                    elif model_key is None:
                        part = measure(chunk)
                    else:
                        part = self._cached({**key, **model_key}, measure, chunk)
                    if measure.summed and parts[name]:
                        for array, values in part.items():
                            parts[name][0][array] += values
                    else:
                        parts[name].append(part)
                bar.update(len(chunk.names))
        return parts

    def _cached(self, key, measure, chunk):
        return self._cache.get_or_measure(key, chunk.first // CHUNK, lambda: measure(chunk))


_ONLY_SAME_JUDGE = (
    "of the judge's features: compares only with numbers by the same judge (the same SHA-256), "
    "never with those of Inception"
)


def _prepare_features(request, manifest, measures, networks):
    if "features of fake" in measures:
        return
    network, key, about = _FEATURES[request.features](request)
    networks["inception" if request.features == "inception" else "features"] = about
    measures["features of real"] = Features(network, key, of_model=False)
    measures["features of fake"] = Features(network, key, of_model=True)


def _inception_features(request):
    from oasis_tf.metrics.inception import InceptionFeatures

    path = frozen.find(frozen.INCEPTION, request.weights_dir, download=request.download)
    about = {
        "name": frozen.INCEPTION.name,
        "sha256": sha256(path),
        "resize": "tf.image bilinear to 299x299, half-pixel centres, no antialiasing",
    }
    return InceptionFeatures(path), {"measure": "inception", "weights": about["sha256"]}, about


def _segmenter_features(request):
    from oasis_tf.segmenters.features import SegmenterFeatures

    if request.segmenter is None:
        raise NotComputable(
            "features of a segmenter need --segmenter PATH; python -m oasis_tf.train_segmenter "
            "makes one of the data set's own photographs"
        )
    try:
        network = SegmenterFeatures(request.segmenter)
    except DataError as error:
        raise NotComputable(str(error)) from None
    key = {name: network.about[name] for name in ("layer", "sha256")}
    return network, {"measure": "segmenter features", **key}, network.about


_FEATURES = {"inception": _inception_features, "segmenter": _segmenter_features}


def _prepare_judgement(request, manifest, measures, networks):
    if request.segmenter is None:
        raise NotComputable(
            "mIoU needs --segmenter PATH; python -m oasis_tf.train_segmenter makes one of the "
            "data set's own photographs"
        )
    try:
        segmenter = load_segmenter(request.segmenter)
        for side, of_model in (("real", False), ("fake", True)):
            measures[f"judgement of {side}"] = Judgement(
                segmenter, manifest.class_names, request.protocol.classes, of_model
            )
    except DataError as error:
        raise NotComputable(str(error)) from None
    networks["segmenter"] = segmenter.about


def _prepare_ms_ssim(request, manifest, measures, networks):
    _check_samples(request)
    if not possible_scales(*manifest.image_size):
        raise NotComputable(f"pictures of {manifest.image_size} are too small for MS-SSIM")
    measures["ms_ssim"] = Diversity(
        ms_ssim_of_pairs, {"measure": "ms_ssim"}, request.samples, request.diversity_maps
    )


def _prepare_lpips(request, manifest, measures, networks):
    from oasis_tf.metrics.lpips import Lpips

    _check_samples(request)
    reasons = []
    for net, files in frozen.LPIPS.items():
        try:
            paths = [
                frozen.find(file, request.weights_dir, download=request.download) for file in files
            ]
            distances = lpips_of_pairs(Lpips(net, *paths))
        except MissingWeights as reason:
            reasons.append(str(reason))
            continue
        checksums = {path.name: sha256(path) for path in paths}
        networks[f"lpips {net}"] = {"version": "0.1", "sha256": checksums}
        measures[f"lpips {net}"] = Diversity(
            distances,
            {"measure": "lpips", "weights": checksums},
            request.samples,
            request.diversity_maps,
        )
    if len(reasons) == len(frozen.LPIPS):
        raise NotComputable("; ".join(reasons))


def _prepare_appearance(request, manifest, measures, networks):
    for side, of_model in (("real", False), ("fake", True)):
        measures.setdefault(
            f"appearance of {side}", Appearance(manifest.num_classes, of_model=of_model)
        )


def _check_samples(request):
    if request.samples < 2:
        raise NotComputable(f"diversity takes 2 samples or more, --samples is {request.samples}")


def _features(parts):
    sides = [
        np.concatenate([part["features"] for part in parts[f"features of {side}"]])
        for side in ("real", "fake")
    ]
    if len(sides[0]) < 2:
        raise NotComputable(f"two pictures or more are needed, there is {len(sides[0])}")
    if not all(np.isfinite(side).all() for side in sides):
        raise NotComputable("the features are not finite")
    return sides


def _fid(parts, *_):
    statistics = []
    for rows in _features(parts):
        statistics.append(FeatureStatistics(rows.shape[1]))
        statistics[-1].update(rows)
    count, channels = statistics[0].count, len(statistics[0].mean)
    result = {"value": frechet_distance(*statistics), "real": count, "generated": count}
    if count < channels:
        result["warning"] = (
            f"{count} pictures are fewer than the {channels} features, so the Frechet distance is "
            "too high by an amount that depends on their number; the kernel distance is not"
        )
    return result


def _kid(parts, *_):
    real, fake = _features(parts)
    return {
        "value": kernel_distance(real, fake),
        "estimator": f"unbiased, over all pairs; kernel (x y / {real.shape[1]} + 1)^3",
        "real": len(real),
        "generated": len(fake),
    }


def _miou(parts, manifest, request, groups):
    sides = {}
    for side in ("fake", "real"):
        confusion = Confusion(manifest.num_classes)
        for part in parts[f"judgement of {side}"]:
            confusion.add(part["keys"], part["counts"])
        sides[side] = confusion.counts
    ignored = segmentation_scores(sides["fake"])
    if math.isnan(ignored.miou):
        raise NotComputable("no pixel of the split is labelled with a class that counts")
    counted = segmentation_scores(sides["fake"], unlabelled="counted")
    real = segmentation_scores(sides["real"])
    classes = [
        {
            "id": i,
            "class": manifest.class_names[i],
            "iou": float(iou),
            "iou_of_photographs": float(real.iou[i]),
            "pixels": int(sides["fake"][i].sum()),
        }
        for i, iou in enumerate(ignored.iou)
        if not math.isnan(iou)
    ]
    result = {
        "value": ignored.miou,
        "pixel_accuracy": ignored.pixel_accuracy,
        "unlabelled_pixels_counted": {
            "miou": counted.miou,
            "pixel_accuracy": counted.pixel_accuracy,
            "about": "what is predicted on unlabelled pixels is taken as wrong",
        },
        "of_photographs": {"miou": real.miou, "pixel_accuracy": real.pixel_accuracy},
        "averaged_over": "classes with labelled pixels in the split",
        "classes_averaged": len(classes),
        "per_class": classes,
    }
    if groups is not None:
        means = {name: ignored.mean(ids) for name, ids in groups.items()}
        result["groups"] = {
            name: {"miou": None if math.isnan(mean) else mean, "classes": count}
            for name, (mean, count) in means.items()
        }
    return result


def _diversity(part_lists, request, about):
    means = {
        name: np.concatenate([part[name] for part in part_lists]) for name in ("global", "local")
    }
    result = {"about": about, "samples": request.samples}
    for name, values in means.items():
        values = values[~np.isnan(values)]
        result[name] = float(values.mean()) if len(values) else None
        result[f"{name}_label_maps"] = len(values)
    if result["global"] is None:
        raise NotComputable("there is no label map to resample")
    return result


_RESAMPLED = (
    "mean over all pairs of samples of a label map, then over label maps; global: one new noise "
    "vector for the picture; local: only in the largest labelled class"
)


def _ms_ssim(parts, manifest, request, _):
    result = _diversity(parts["ms_ssim"], request, f"lower is more diverse; {_RESAMPLED}")
    scales = possible_scales(*manifest.image_size)
    if scales < 5:
        result["warning"] = (
            f"pictures of {manifest.image_size[0]}x{manifest.image_size[1]} have room for "
            f"{scales} of the 5 scales; not comparable with published numbers"
        )
    return {"value": result["global"], "scales": scales, **result}


def _lpips(parts, manifest, request, _):
    about = f"higher is more diverse; v0.1; {_RESAMPLED}"
    nets = {
        net: _diversity(parts[f"lpips {net}"], request, about)
        for net in frozen.LPIPS
        if f"lpips {net}" in parts
    }
    first = next(iter(nets))
    return {"value": nets[first]["global"], "network": first, **nets}


def _appearance(name, distances, about):
    def result(parts, manifest, request, _):
        real, fake = (
            sum(part[name] for part in parts[f"appearance of {side}"]) for side in ("real", "fake")
        )
        if not real.sum():
            raise NotComputable("there are no pictures")
        classes = [
            {
                "id": i,
                "class": manifest.class_names[i],
                "pixels": int(real[i, 0].sum()),
                **{key: distance(real[i], fake[i]) for key, distance in distances.items()},
            }
            for i in range(1, manifest.num_classes)
            if real[i].any()
        ]
        overall = {
            key: distance(real.sum(axis=0), fake.sum(axis=0)) for key, distance in distances.items()
        }
        mean = {
            key: float(np.mean([each[key] for each in classes])) if classes else None
            for key in distances
        }
        return {
            "value": overall["chi_square"],
            "about": about,
            "overall": overall,
            "mean_over_classes": mean,
            "per_class": classes,
        }

    return result


_PREPARE = {
    "fid": _prepare_features,
    "kid": _prepare_features,
    "miou": _prepare_judgement,
    "ms_ssim": _prepare_ms_ssim,
    "lpips": _prepare_lpips,
    "colour": _prepare_appearance,
    "texture": _prepare_appearance,
}
_RESULTS = {
    "fid": _fid,
    "kid": _kid,
    "miou": _miou,
    "ms_ssim": _ms_ssim,
    "lpips": _lpips,
    "colour": _appearance(
        "colour",
        {"chi_square": chi_square, "earth_movers": earth_movers},
        "histograms of L*, a* and b* (CIELAB, 32 bins each), mean of the three distances",
    ),
    "texture": _appearance(
        "texture",
        {"chi_square": chi_square},
        "histograms of local binary patterns of L* at 1, 2 and 4 pixels, mean of the three "
        "distances",
    ),
}
