"""Evaluates a model and puts together what the result file says."""

from dataclasses import dataclass
from importlib.metadata import version

from data_pipeline.errors import DataError
from data_pipeline.records.manifest import Manifest
from oasis_tf.evaluation.cache import model_checksum
from oasis_tf.evaluation.complaints import complaints
from oasis_tf.evaluation.evaluator import Evaluator
from oasis_tf.evaluation.pictures import Sampler

_FORMAT = 1


@dataclass(frozen=True)
class Evaluation:
    """The outcome.

    Attributes:
        result: JSON-able dict.
        metrics: {name in results: `oasis_tf.evaluation.metrics.metric.Metric`}.
        parts: {name of a part: list of its dicts of arrays}, for the report.
        sampler: `Sampler` of the model.
    """

    result: dict
    metrics: dict
    parts: dict
    sampler: Sampler


def evaluate(synthesizer, model_path, request, cache_dir, *, tell):
    """Evaluates a model.

    Args:
        synthesizer: `oasis_tf.sampling.synthesizer.Synthesizer`.
        model_path: Path it was loaded from.
        request: `oasis_tf.evaluation.request.Request`.
        cache_dir: Path; what was measured before, for the same of everything, is taken from there.
        tell: function of a str, called before anything is computed with each line about metrics
            that cannot be, or that leave something out.

    Returns:
        `Evaluation`.

    Raises:
        DataError: the model and the data have other classes, or the records are damaged.
    """
    manifest = Manifest.read(request.data_dir)
    _check_classes(synthesizer.class_names, manifest.class_names)
    sampler = Sampler(synthesizer, request.seed)
    evaluator = Evaluator(request, cache_dir)
    for line in complaints(evaluator.failures, evaluator.stand_ins) + evaluator.notices:
        tell(line)
    checksum = model_checksum(model_path, synthesizer.source.checkpoint)
    computed = evaluator(sampler, {"model": checksum, "seed": request.seed})
    split = manifest.splits[request.split]
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
            "dir": str(request.data_dir),
            "split": request.split,
            "images": evaluator.total,
            "images_in_split": split.examples,
            "image_size": list(manifest.image_size),
            "stored_size": list(split.stored_size),
            "resize": "Pillow bicubic (photographs) and nearest (label maps), when the records "
            "were built; pictures are compared at this size, as 8-bit RGB",
            "num_classes": manifest.num_classes,
            "shards": {shard.name: shard.sha256 for shard in split.shards},
        },
        "model": {
            "path": str(model_path),
            "checkpoint": synthesizer.source.title,
            "sha256": checksum,
        },
        "seed": request.seed,
        "networks": evaluator.networks,
        "metrics": computed.metrics,
        "versions": {name: version(name) for name in ("tensorflow", "keras", "numpy")},
    }
    return Evaluation(result, evaluator.metrics, computed.parts, sampler)


def _check_classes(ours, theirs):
    if ours != theirs:
        differing = sum(a != b for a, b in zip(ours, theirs, strict=False))
        raise DataError(
            "the model and the data must have the same classes. Received: a model of "
            f"{len(ours)} classes, data of {len(theirs)}, {differing} names differ"
        )
