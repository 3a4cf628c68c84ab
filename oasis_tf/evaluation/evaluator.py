"""The metrics of a request, computed of models."""

from dataclasses import dataclass

from tqdm import tqdm

from data_pipeline.records.manifest import Manifest
from oasis_tf.evaluation.cache import Cache
from oasis_tf.evaluation.metrics.metric import NotComputable
from oasis_tf.evaluation.metrics.registry import METRICS
from oasis_tf.evaluation.pictures import CHUNK, chunks
from oasis_tf.metrics.frozen import MissingWeights


@dataclass(frozen=True)
class Computed:
    """What has been computed of a model.

    Attributes:
        metrics: {name in results: JSON-able dict}; without "value" where "computed" is False.
        parts: {name of a part: list of its dicts of arrays}, for the report.
    """

    metrics: dict
    parts: dict


class Evaluator:
    """Computes metrics on a data set, of one model or of many after each other.

    Args:
        request: `oasis_tf.evaluation.request.Request`.
        cache_dir: Path; what was measured before, for the same of everything, is taken from there.
        writes: stores there what is measured.

    Attributes:
        metrics: {name in results: `oasis_tf.evaluation.metrics.metric.Metric`}, as asked for.
        networks: {role: JSON-able dict}, the networks that are used.
        failures: {name in results: reason} of the metrics that cannot be computed with these
            networks and sizes.
        stand_ins: {name in results: what to do instead} of some of them.
        notices: lines about the numbers of the others.
        total: number of pictures.
    """

    def __init__(self, request, cache_dir, *, writes=True):
        self._request = request
        self._cache = Cache(cache_dir, writes=writes)
        manifest = Manifest.read(request.data_dir)
        self.metrics, self.failures, self.stand_ins = {}, {}, {}
        self.notices = []
        self._measured = {}  # {name of a part: (the part, a metric that measures it)}
        networks = {}
        for name in request.metrics:
            metric = METRICS[name](request, manifest)
            self.metrics[metric.result_name] = metric
            try:
                parts = metric.prepare(networks)
            except (MissingWeights, NotComputable) as reason:
                self.failures[metric.result_name] = str(reason)
                if isinstance(reason, MissingWeights) and metric.stand_in:
                    self.stand_ins[metric.result_name] = metric.stand_in
                continue
            self.notices += [f"{metric.result_name}: {line}" for line in metric.notices]
            for part in parts:
                self._measured.setdefault(part.name, (part, metric))
        self.networks = {role: network.about for role, network in networks.items()}
        split = manifest.splits[request.split]
        self.total = split.examples
        if request.max_images is not None:
            self.total = min(self.total, request.max_images)
        self._data_key = {
            "shards": {shard.name: shard.sha256 for shard in split.shards},
            "size": manifest.image_size,
            "chunk": CHUNK,
            # Chunks cut short by `max_images` are others than whole ones.
            "images": self.total,
        }

    def __call__(self, sampler, model_key=None):
        """Computes.

        Args:
            sampler: `oasis_tf.evaluation.pictures.Sampler` of the model.
            model_key: JSON-able, all that its pictures depend on; None = nothing of this model
                is kept in the cache, and no progress bar is shown.

        Returns:
            `Computed`.

        Raises:
            DataError: the model draws what are no colours, or the records are damaged.
        """
        parts = self._measure(sampler, model_key)
        results = {}
        for name, metric in self.metrics.items():
            try:
                if name in self.failures:
                    raise NotComputable(self.failures[name])
                results[name] = {"computed": True, **metric.result(parts)}
            except NotComputable as reason:
                results[name] = {"computed": False, "reason": str(reason)}
        return Computed(results, parts)

    def _measure(self, sampler, model_key):
        arrays = {name: [] for name in self._measured}
        if not arrays:
            return arrays
        request = self._request
        pictures = chunks(request.data_dir, request.split, sampler, request.max_images)
        with tqdm(
            total=self.total, unit="picture", desc="evaluate", disable=model_key is None
        ) as bar:
            for chunk in pictures:
                for part, metric in self._measured.values():
                    measured = self._measure_part(part, metric, chunk, model_key)
                    if part.summed and arrays[part.name]:
                        for name, values in measured.items():
                            arrays[part.name][0][name] += values
                    else:
                        arrays[part.name].append(measured)
                bar.update(len(chunk.names))
        return arrays

    def _measure_part(self, part, metric, chunk, model_key):
        """What the cache has of a chunk, else what the metric measures."""
        key = {**part.key, **self._data_key}
        if part.of_model:
            if model_key is None:
                return metric.measure(part, chunk)
            key.update(model_key)
        return self._cache.get_or_measure(
            key, chunk.first // CHUNK, lambda: metric.measure(part, chunk)
        )
