"""Runs the metrics over a split and puts together what the result file says."""

import math
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from tqdm import tqdm

from data_pipeline.errors import DataError
from data_pipeline.files import sha256
from data_pipeline.manifest import Manifest
from oasis_tf.evaluation.cache import Cache, model_checksum
from oasis_tf.evaluation.frequency import frequency_groups, picture_counts
from oasis_tf.evaluation.measures import (
    Appearance,
    Diversity,
    Features,
    Judgement,
    lpips_of_pairs,
    ms_ssim_of_pairs,
)
from oasis_tf.evaluation.pictures import CHUNK, Painter, chunks
from oasis_tf.evaluation.protocols import Protocol
from oasis_tf.metrics import frozen
from oasis_tf.metrics.confusion import Confusion, segmentation_scores
from oasis_tf.metrics.frechet import FeatureStatistics, frechet_distance
from oasis_tf.metrics.frozen import MissingWeights
from oasis_tf.metrics.histograms import chi_square, earth_movers
from oasis_tf.metrics.kernel_distance import kernel_distance
from oasis_tf.metrics.ms_ssim import possible_scales
from oasis_tf.metrics.segmenter import load_segmenter

METRICS = ("fid", "kid", "miou", "ms_ssim", "lpips", "colour", "texture")
ENOUGH_FOR_FID = 2048  # as many as Inception has features
_FORMAT = 1


class NotComputable(ValueError):
    """A metric has no value for this model and data; the message is the reason."""


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        metrics: names of `METRICS`.
        protocol: `Protocol`.
        split: of the data set.
        seed: picture number i is drawn with seed + i.
        samples: pictures per label map for diversity.
        diversity_maps: label maps that diversity looks at, None for all.
        max_images: pictures of the split that are looked at, None for all.
        segmenter: path or preset, or None.
        weights_dir: Path of the frozen networks' weights.
        download: fetch weights that are not there.
    """

    metrics: tuple[str, ...]
    protocol: Protocol
    split: str
    seed: int
    samples: int
    diversity_maps: int | None
    max_images: int | None
    segmenter: str | None
    weights_dir: Path
    download: bool = False


@dataclass(frozen=True)
class Evaluation:
    """The outcome.

    Attributes:
        result: JSON-able dict.
        parts: {measure: list of its dicts of arrays}, for the report.
        painter: `Painter` of the model.
    """

    result: dict
    parts: dict
    painter: Painter


def evaluate(synthesizer, model_path, data_dir, request, cache_dir):
    """Evaluates a model.

    Args:
        synthesizer: `oasis_tf.synthesizer.Synthesizer`.
        model_path: Path it was loaded from.
        data_dir: Path of the records.
        request: `Request`.
        cache_dir: Path; what was measured before, for the same of everything, is taken from there.

    Returns:
        `Evaluation`.

    Raises:
        DataError: the model and the data have other classes, or the records are damaged.
    """
    manifest = Manifest.read(data_dir)
    _check_classes(synthesizer.class_names, manifest.class_names)
    painter = Painter(synthesizer, request.seed)
    measures, networks, failures = _measures(request, manifest)
    shards = {shard.name: shard.sha256 for shard in manifest.splits[request.split].shards}
    data_key = {"shards": shards, "size": manifest.image_size, "chunk": CHUNK}
    model_key = {"model": model_checksum(model_path), "seed": request.seed}
    cache = Cache(cache_dir)
    parts = {name: [] for name in measures}
    total = manifest.splits[request.split].examples
    if request.max_images is not None:
        total = min(total, request.max_images)
    # Chunks cut short by --max_images are others than whole ones.
    data_key["images"] = total
    if measures:
        with tqdm(total=total, unit="picture", desc="evaluate") as bar:
            for chunk in chunks(data_dir, request.split, painter, request.max_images):
                for name, measure in measures.items():
                    key = {**measure.key, **data_key, **(model_key if measure.of_model else {})}
                    number = chunk.first // CHUNK
                    part = cache.get_or_measure(key, number, lambda m=measure, c=chunk: m(c))
                    parts[name].append(part)
                bar.update(len(chunk.names))
    groups = None
    if request.protocol.groups and "miou" in request.metrics and "train" in manifest.splits:
        groups = frequency_groups(picture_counts(data_dir))
    metrics = {}
    for name in request.metrics:
        try:
            if name in failures:
                raise NotComputable(failures[name])
            metrics[name] = {"computed": True, **_RESULTS[name](parts, manifest, request, groups)}
        except NotComputable as reason:
            metrics[name] = {"computed": False, "reason": str(reason)}
    result = {
        "format": _FORMAT,
        "protocol": {
            "name": request.protocol.name,
            "version": request.protocol.version,
            "about": request.protocol.about,
            "classes": list(request.protocol.classes or manifest.class_names[1:]),
        },
        "data": {
            "dataset": manifest.dataset,
            "dir": str(data_dir),
            "split": request.split,
            "images": total,
            "images_in_split": manifest.splits[request.split].examples,
            "image_size": list(manifest.image_size),
            "stored_size": list(manifest.splits[request.split].stored_size),
            "resize": "Pillow bicubic (photographs) and nearest (label maps), when the records "
            "were built; pictures are compared at this size, as 8-bit RGB",
            "num_classes": manifest.num_classes,
            "shards": shards,
        },
        "model": {"path": str(model_path), "sha256": model_key["model"]},
        "seed": request.seed,
        "networks": networks,
        "metrics": metrics,
        "versions": {name: version(name) for name in ("tensorflow", "keras", "numpy")},
    }
    return Evaluation(result, parts, painter)


def _check_classes(ours, theirs):
    if ours != theirs:
        differing = sum(a != b for a, b in zip(ours, theirs, strict=False))
        raise DataError(
            "the model and the data must have the same classes. Received: a model of "
            f"{len(ours)} classes, data of {len(theirs)}, {differing} names differ"
        )


def _measures(request, manifest):
    """The measures that are needed, what they use, and why some metrics cannot be computed."""
    measures, networks, failures = {}, {}, {}
    for metric in request.metrics:
        try:
            _PREPARE[metric](request, manifest, measures, networks)
        except (MissingWeights, NotComputable) as reason:
            failures[metric] = str(reason)
    return measures, networks, failures


def _prepare_features(request, manifest, measures, networks):
    from oasis_tf.metrics.inception import InceptionFeatures

    if "features of fake" in measures:
        return
    path = frozen.find(frozen.INCEPTION, request.weights_dir, download=request.download)
    network = InceptionFeatures(path)
    networks["inception"] = {
        "name": frozen.INCEPTION.name,
        "sha256": sha256(path),
        "resize": "tf.image bilinear to 299x299, half-pixel centres, no antialiasing",
    }
    checksum = networks["inception"]["sha256"]
    measures["features of real"] = Features(network, checksum, of_model=False)
    measures["features of fake"] = Features(network, checksum, of_model=True)


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
    count = statistics[0].count
    result = {"value": frechet_distance(*statistics), "real": count, "generated": count}
    if count < ENOUGH_FOR_FID:
        result["warning"] = (
            f"{count} pictures are fewer than {ENOUGH_FOR_FID}, so FID is too high by an amount "
            "that depends on their number; KID is not"
        )
    return result


def _kid(parts, *_):
    real, fake = _features(parts)
    return {
        "value": kernel_distance(real, fake),
        "estimator": "unbiased, over all pairs; kernel (x y / 2048 + 1)^3",
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
