"""The chosen metrics of a generator in training, as `oasis_tf.evaluate` computes them."""

from data_pipeline.labels.legend import Legend
from oasis_tf.evaluation.complaints import complaints
from oasis_tf.evaluation.evaluator import Evaluator
from oasis_tf.evaluation.pictures import Sampler
from oasis_tf.evaluation.protocols import choose_protocol
from oasis_tf.evaluation.request import Request
from oasis_tf.metrics.frozen import weights_dir
from oasis_tf.sampling.generator_backend import GeneratorBackend
from oasis_tf.sampling.synthesizer import Synthesizer

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
        before_picture: function called before each picture is drawn; what it raises ends the
            computation. Defaults to none.

    Attributes:
        computable: result names of the metrics that can be computed.
        chosen_by: name of the score that chooses the best checkpoint, that of the first metric;
            None if it cannot be computed.
        notices: what a person should know of the numbers, lines.
        network: SHA-256 of the segmenter whose number that score is, or None.
        higher_is_better: of that score.
    """

    def __init__(
        self,
        generator,
        config,
        manifest,
        data_dir,
        split,
        cache_dir,
        *,
        writes=True,
        before_picture=lambda: None,
    ):
        request = Request(
            metrics=config.metrics or ("miou",),
            protocol=choose_protocol(None, manifest),
            data_dir=data_dir,
            split=split,
            weights_dir=weights_dir(),
            features=config.features,
            segmenter=config.segmenter,
            seed=_SEED,
        )
        self._evaluator = Evaluator(request, cache_dir, writes=writes)
        synthesizer = Synthesizer(
            GeneratorBackend(generator), Legend.of(manifest), manifest.image_size
        )
        self._sampler = _ListeningSampler(synthesizer, _SEED, before_picture)
        self.notices = self._evaluator.notices
        self._failures, self._stand_ins = self._evaluator.failures, self._evaluator.stand_ins
        self.computable = [name for name in self._evaluator.metrics if name not in self._failures]
        name, first = next(iter(self._evaluator.metrics.items()))
        self.chosen_by = None if name in self._failures else f"metrics/{name}"
        self.higher_is_better = first.higher_is_better
        self.network = first.segmenter_sha256

    def __call__(self):
        """{"metrics/NAME": float} of the metrics that could be computed."""
        metrics = self._evaluator(self._sampler).metrics
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
        return complaints(self._failures, self._stand_ins)


class _ListeningSampler(Sampler):
    """A `Sampler` that calls a function before each picture."""

    def __init__(self, synthesizer, seed, before_picture):
        super().__init__(synthesizer, seed)
        self._before_picture = before_picture

    def generate(self, label_map, number):
        self._before_picture()
        return super().generate(label_map, number)
