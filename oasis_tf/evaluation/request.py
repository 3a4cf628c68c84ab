"""What is asked for of an evaluation."""

from dataclasses import dataclass
from pathlib import Path

from oasis_tf.evaluation.protocols import Protocol


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        metrics: names of `oasis_tf.evaluation.metrics.registry.METRICS`.
        protocol: `Protocol`.
        data_dir: Path of the records.
        split: of the data set.
        weights_dir: Path of the frozen networks' weights.
        features: of `oasis_tf.evaluation.metrics.features.FEATURES`: what fid and kid compare.
        segmenter: path or preset, or None.
        seed: picture number i is drawn with seed + i.
        samples: pictures per label map for diversity.
        diversity_maps: label maps that diversity looks at, None for all.
        max_images: pictures of the split that are looked at, None for all.
        download: fetch weights that are not there.
    """

    metrics: tuple[str, ...]
    protocol: Protocol
    data_dir: Path
    split: str
    weights_dir: Path
    features: str = "inception"
    segmenter: str | None = None
    seed: int = 0
    samples: int = 20
    diversity_maps: int | None = None
    max_images: int | None = None
    download: bool = False
