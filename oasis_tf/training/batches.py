"""The batches of a run: for training, for statistics, for validation, and for the pictures."""

import numpy as np

from data_pipeline.reading.reader import eval_dataset, train_dataset
from data_pipeline.reading.service_reader import service_train_dataset
from oasis_tf.models.padded_index import EVERYTHING, SHARES
from oasis_tf.training.indexing import with_patch_index
from oasis_tf.training.strategy import compiles_by_itself


class Batches:
    """Reads the records for one run.

    Args:
        config: `oasis_tf.config.Config`.
        manifest: `data_pipeline.records.manifest.Manifest` of the records.
        data_dir: directory of the records.
        strategy: `tf.distribute.Strategy`.
        data_service: `grpc://HOST:PORT` of the tf.data service that training batches come through,
            or None.

    Attributes:
        eval_split: the split that is scored and shown.
    """

    def __init__(self, config, manifest, data_dir, strategy, data_service=None):
        self._config = config
        self._manifest = manifest
        self._data_dir = data_dir
        self._strategy = strategy
        self._data_service = data_service
        # Without validation pictures the training ones have to do.
        self.eval_split = "val" if "val" in manifest.splits else "train"

    def training(self, steps_done):
        """An endless iterator over distributed batches, from the given step on.

        Each is a dict of `image`, `label_map` and `patch_index`, see `add_patch_index`.
        """

        # From a function, so that a worker decodes its own rows only; TensorFlow's sharding of a
        # whole data set gives workers other examples than one device with the whole batch has.
        return iter(
            self._strategy.distribute_datasets_from_function(
                lambda context: self._with_index(
                    self._of_worker(context, steps_done * self._config.batch_size)
                )
            )
        )

    def _with_index(self, dataset):
        """What the step needs of a label map and the CPU finds meanwhile."""
        return with_patch_index(
            dataset,
            self._manifest.num_classes,
            micro_batches=self._config.accumulate,
            shares=self._shares(),
        )

    def _shares(self):
        """How the patch index is padded: for XLA only, which compiles anew for each size."""
        if compiles_by_itself(self._strategy):
            return EVERYTHING  # all replicas run one program
        return SHARES if self._config.jit_compile else None

    def _of_worker(self, context, start):
        config = self._config
        index, count = context.input_pipeline_id, context.num_input_pipelines
        if self._data_service is None:
            dataset = train_dataset(
                self._data_dir,
                batch_size=config.batch_size,
                seed=config.seed,
                start=start,
                part=(index, count),
            )
        else:
            # Each worker has a stream of its own, in another order than the others'.
            dataset = service_train_dataset(
                self._data_dir,
                service=self._data_service,
                batch_size=config.batch_size // count,
                seed=config.seed + index,
                start=start,
            )
        if context.num_replicas_in_sync == count:
            return dataset
        rows = config.batch_size // context.num_replicas_in_sync
        return dataset.rebatch(rows, drop_remainder=True)

    def for_statistics(self):
        """Label maps to re-estimate batch statistics on: other batches than the training's."""
        config = self._config
        dataset = train_dataset(self._data_dir, batch_size=config.batch_size, seed=config.seed + 1)
        for batch in dataset.take(config.statistics_batches):
            yield batch["label_map"]

    def for_evaluation(self):
        """Batches of the whole split."""
        return eval_dataset(
            self._data_dir, batch_size=self._config.batch_size, split=self.eval_split
        )

    def some(self, count):
        """`count` examples from all over the split, for neighbours in a video are all alike.

        Returns:
            {"image": float (count, H, W, 3), "label_map": int (count, H, W)}, or fewer of each.
        """
        every = max(1, self._manifest.splits[self.eval_split].examples // count)
        dataset = eval_dataset(self._data_dir, batch_size=1, split=self.eval_split)
        chosen = list(dataset.shard(every, 0).take(count))
        return {
            name: np.concatenate([batch[name].numpy() for batch in chosen])
            for name in ("image", "label_map")
        }
