"""The chosen metrics of a generator in training, as `oasis_tf.evaluate` computes them."""

from data_pipeline.labels.legend import Legend
from oasis_tf.evaluation.pictures import Sampler
from oasis_tf.evaluation.protocols import choose_protocol
from oasis_tf.evaluation.scoring import Request, Scoring, result_name
from oasis_tf.metrics.frozen import weights_dir
from oasis_tf.sampling.generator_backend import GeneratorBackend
from oasis_tf.sampling.synthesizer import Synthesizer

_HIGHER_IS_BETTER = {"miou"}
_SEED = 0  # the default of `oasis_tf.evaluate`, so that its numbers are these


class MetricScore:
    """Computes metrics on the validation pictures of a run.

    Args:
        generator: the `Generator` to score (the averaged one).
        config: `oasis_tf.config.Config`.
        manifest: the `data_pipeline.records.manifest.Manifest` of the records.
        data_dir: Path of the records.
        split: of the data set.
        cache_dir: Path, for what has been measured of photographs.
        writes: stores it there; of several workers only one should.

    Attributes:
        chosen_by: name of the score that chooses the best checkpoint, that of the first metric;
            None if it cannot be computed.
        network: SHA-256 of the segmenter whose number that score is, or None.
        higher_is_better: of that score.
    """

    def __init__(self, generator, config, manifest, data_dir, split, cache_dir, *, writes=True):
        metrics = config.metrics or ("miou",)
        request = Request(
            metrics=metrics,
            protocol=choose_protocol(None, manifest),
            split=split,
            weights_dir=weights_dir(),
            features=config.features,
            segmenter=config.segmenter,
            seed=_SEED,
        )
        self._scoring = Scoring(request, data_dir, cache_dir, writes=writes)
        synthesizer = Synthesizer(
            GeneratorBackend(generator), Legend.of(manifest), manifest.image_size
        )
        self._sampler = Sampler(synthesizer, _SEED)
        # By their names in results.
        self._failures = {
            result_name(metric, config.features): reason
            for metric, reason in self._scoring.failures.items()
        }
        first = metrics[0]
        name = result_name(first, config.features)
        self.chosen_by = None if name in self._failures else f"metrics/{name}"
        self.higher_is_better = first in _HIGHER_IS_BETTER
        role = "segmenter" if first == "miou" else "features"
        self.network = self._scoring.networks.get(role, {}).get("sha256")

    def __call__(self):
        """{"metrics/NAME": float} of the metrics that could be computed."""
        metrics = self._scoring(self._sampler).metrics
        self._failures = {
            name: metric["reason"] for name, metric in metrics.items() if not metric["computed"]
        }
        return {
            f"metrics/{name}": metric["value"]
            for name, metric in metrics.items()
            if metric["computed"]
        }

    def complaints(self):
        """A line for each reason why metrics have no value, as far as is known."""
        names = {}
        for name, reason in self._failures.items():
            names.setdefault(reason, []).append(name)
        return [f"no {', '.join(metrics)}: {reason}" for reason, metrics in names.items()]
