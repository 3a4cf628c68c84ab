"""The outer loop: builds a run from its configuration and drives it with orbit's Controller."""

import contextlib
import dataclasses
import io
import json
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import orbit
import tensorflow as tf

from data_pipeline.reading.reader import eval_dataset, train_dataset
from data_pipeline.reading.service_reader import service_train_dataset
from oasis_tf.checkpoints.manager import PeriodicCheckpointManager
from oasis_tf.checkpoints.run_dir import has_begun, open_run_dir
from oasis_tf.config import ConfigError
from oasis_tf.models.build import build_discriminator, build_generator
from oasis_tf.training.actions import Histograms, Pictures, Progress
from oasis_tf.training.adam import build_adam
from oasis_tf.training.chosen_by import ChosenBy
from oasis_tf.training.ema import StatisticsEstimator
from oasis_tf.training.metric_score import MetricScore
from oasis_tf.training.score import DiscriminatorScore
from oasis_tf.training.signals import Stopped, StopRequest
from oasis_tf.training.step import AdversarialStep
from oasis_tf.training.strategy import check_batch, gather, is_chief, make_strategy
from oasis_tf.training.trainer import Trainer

PICTURES = 8
_CHEAP_SCORE = "score/miou"


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        step: steps done.
        checkpoint: path of the newest checkpoint.
        best_checkpoint: path of the best one, or None.
        best_score: the score it was chosen by; None where there is none, or where it was chosen
            by another score than what chooses now.
        chosen_by: name of the score that chooses now.
        pictures: path of the newest grid, or None.
        stopped_by: number of the signal that stopped it, or None.
    """

    step: int
    checkpoint: str
    best_checkpoint: str | None
    best_score: float | None
    chosen_by: str
    pictures: Path | None
    stopped_by: int | None


class Run:
    """A run in a directory: networks, optimizers, checkpoints and what is done in between.

    With several workers each of them makes one, and all do the same, so that their variables stay
    equal; only the chief writes.

    Args:
        config: `oasis_tf.config.Config`.
        manifest: the `data_pipeline.records.manifest.Manifest` of the records.
        data_dir: directory of the records.
        model_dir: existing directory; holds checkpoints, pictures and TensorBoard's files.
        histograms: also write histograms of all weights.
        strategy: a `tf.distribute.Strategy`. Defaults to that of `make_strategy`.
        data_service: `grpc://HOST:PORT` of the tf.data service that training batches come
            through. Defaults to none.

    Raises:
        ConfigError: a batch that the devices cannot share evenly, a damaged checkpoint, or
            workers that were started differently.

    Attributes:
        notes: lines that the user should read.
    """

    def __init__(
        self,
        config,
        manifest,
        data_dir,
        model_dir,
        *,
        histograms=False,
        strategy=None,
        data_service=None,
    ):
        self._config = config
        self._data_dir = data_dir
        self._data_service = data_service
        self._model_dir = Path(model_dir)
        self._total = config.total_steps(manifest.splits["train"].examples)
        # Without validation pictures the training ones have to do.
        self._eval_split = "val" if "val" in manifest.splits else "train"
        self._strategy = strategy or make_strategy()
        self._chief = is_chief(self._strategy)
        check_batch(config, self._strategy.num_replicas_in_sync)
        with self._strategy.scope():
            self._build(manifest.num_classes)
        # Read once: after that the run's own checkpoints are what it goes on from.
        if config.init_from is not None and not has_begun(self._model_dir):
            open_run_dir(config.init_from).restore(
                generator=self._generator,
                ema_generator=self._ema_generator,
                discriminator=self._discriminator,
            )
        self._best = PeriodicCheckpointManager(
            self._checkpoint,
            str(self._model_dir / "best"),
            max_to_keep=1,
            checkpoint_name="step",
            writes=self._chief,
        )
        self._stop = StopRequest()
        self._estimate_statistics = StatisticsEstimator(self._ema_generator, seed=config.seed)
        self._score = DiscriminatorScore(self._ema_generator, self._discriminator, seed=config.seed)
        self._metrics = None
        if config.metrics or config.segmenter is not None:
            self._metrics = MetricScore(
                self._ema_generator,
                config,
                manifest,
                data_dir,
                self._eval_split,
                self._model_dir / "measured",
                writes=self._chief,
            )
        self._controller = self._build_controller()
        self._check_that_workers_agree(manifest)
        self._val_writer = (
            tf.summary.create_file_writer(str(self._model_dir / "val"))
            if self._chief
            else tf.summary.create_noop_writer()
        )
        self.notes = self._choose_score()
        self._progress = Progress(self._global_step, self._total)
        self._histograms = None
        if histograms:
            models = {"generator": self._generator, "discriminator": self._discriminator}
            self._histograms = Histograms(models, self._train_writer)
        self._pictures = Pictures(
            self._generator,
            self._ema_generator,
            lambda: self._fixed_samples(manifest.splits[self._eval_split].examples),
            palette=np.asarray(manifest.palette, np.uint8),
            directory=self._model_dir / "pictures",
            writer=self._train_writer,
            seed=config.seed,
        )
        # Of an earlier session, until this one draws its own.
        self._newest_pictures = max((self._model_dir / "pictures").glob("step_*.png"), default=None)

    def train(self):
        """Trains to the end, or until SIGTERM or Ctrl-C; returns the `Outcome`.

        Raises:
            NonFiniteLossError: a loss became infinite or not a number; the checkpoints stay.
        """
        stopped_by = None
        if self._chief:
            (self._model_dir / "pictures").mkdir(exist_ok=True)
        try:
            with self._stop.listening(), _quiet():
                self._controller.train(self._total)
        except Stopped as stop:
            stopped_by = stop.signum
            with _quiet():
                self._controller.save_checkpoint()
        finally:
            self._progress.close()
        score = self._sign * float(self._best_score.numpy())
        return Outcome(
            step=int(self._global_step.numpy()),
            checkpoint=self._manager.latest_checkpoint,
            best_checkpoint=self._best.latest_checkpoint,
            best_score=score if np.isfinite(score) else None,
            chosen_by=self._chosen_by.name,
            pictures=self._newest_pictures,
            stopped_by=stopped_by,
        )

    @property
    def start_step(self):
        """Steps that were done when the run was opened."""
        return int(self._global_step.numpy())

    @property
    def size(self):
        """One line on the networks and where they run."""
        generator, discriminator = (
            f"{sum(int(np.prod(v.shape)) for v in model.trainable_variables) / 1e6:.1f}M"
            for model in (self._generator, self._discriminator)
        )
        replicas = self._strategy.num_replicas_in_sync
        return (
            f"generator {generator}, discriminator {discriminator} parameters, "
            f"{replicas} {'device' if replicas == 1 else 'devices'}"
        )

    @property
    def total_steps(self):
        """Steps of the whole run."""
        return self._total

    def _build(self, num_classes):
        config = self._config
        keras.utils.set_random_seed(config.seed)

        self._generator, self._ema_generator = (
            build_generator(config, num_classes) for _ in range(2)
        )
        for average, variable in zip(
            self._ema_generator.variables, self._generator.variables, strict=True
        ):
            average.assign(variable)
        self._discriminator = build_discriminator(config, num_classes)
        optimizers = tuple(
            build_adam(learning_rate, model, scale_loss=config.precision == "mixed_float16")
            for learning_rate, model in (
                (config.generator_lr, self._generator),
                (config.discriminator_lr, self._discriminator),
            )
        )
        self._step = AdversarialStep(
            self._generator,
            self._discriminator,
            *optimizers,
            labelmix_weight=config.labelmix_weight,
            share_pictures=config.share_pictures,
            class_balance=config.class_balance,
            clips=config.start == "guarded",
        )
        self._global_step = orbit.utils.create_global_step()
        # The larger the better: of a metric whose lower values are better it is the negative.
        self._best_score = tf.Variable(-np.inf, trainable=False, name="best_score")
        self._chosen_by = ChosenBy()
        # The step is also the position in the data and in every random stream.
        self._checkpoint = tf.train.Checkpoint(
            generator=self._generator,
            ema_generator=self._ema_generator,
            discriminator=self._discriminator,
            generator_optimizer=optimizers[0],
            discriminator_optimizer=optimizers[1],
            generator_clip=self._step.generator_clip,
            discriminator_clip=self._step.discriminator_clip,
            step=self._global_step,
            best_score=self._best_score,
            chosen_by=self._chosen_by,
        )

    def _build_controller(self):
        config = self._config
        self._manager = PeriodicCheckpointManager(
            self._checkpoint,
            str(self._model_dir / "checkpoints"),
            max_to_keep=config.keep_checkpoints,
            checkpoint_name="step",
            step_counter=self._global_step,
            checkpoint_interval=config.checkpoint_every,
            writes=self._chief,
        )
        with self._strategy.scope():
            trainer = Trainer(
                self._step,
                ema_generator=self._ema_generator,
                ema_decay=config.ema_decay,
                start=config.start,
                batches=self._training_batches,
                batch_size=config.batch_size,
                seed=config.seed,
                global_step=self._global_step,
                accumulate=config.accumulate,
                steps_per_loop=config.steps_per_loop,
            )
        try:
            with _quiet():
                return orbit.Controller(
                    global_step=self._global_step,
                    trainer=trainer,
                    strategy=self._strategy,
                    steps_per_loop=self._steps_to_next_event,
                    checkpoint_manager=self._manager,
                    summary_dir=str(self._model_dir / "train") if self._chief else None,
                    train_actions=[self._after_steps],
                )
        # TensorFlow meets a damaged file with IndexError, OpError, ValueError and others.
        except Exception as error:
            raise ConfigError(
                f"checkpoint {self._manager.latest_checkpoint} must be whole and of this version. "
                f"Received: {str(error).splitlines()[0]}"
            ) from error

    def _choose_score(self):
        """Decides what chooses the best checkpoint; returns what there is to say about it."""
        notes = []
        name, network, higher_is_better = _CHEAP_SCORE, None, True
        if self._metrics is not None:
            notes += self._metrics.complaints()
            if self._metrics.chosen_by is not None:
                name, network = self._metrics.chosen_by, self._metrics.network
                higher_is_better = self._metrics.higher_is_better
        self._sign = 1 if higher_is_better else -1
        before = self._chosen_by.name
        if self._chosen_by.change(name, network):
            now = name if before != name else "that of another segmenter"
            notes.append(f"the best checkpoint was chosen by {before} and is now by {now}")
            self._best_score.assign(-np.inf)
        return notes

    def _training_batches(self, steps_done):
        config = self._config

        def of_worker(context):
            index, count = context.input_pipeline_id, context.num_input_pipelines
            start = steps_done * config.batch_size
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
            devices = context.num_replicas_in_sync // count
            if devices == 1:
                return dataset
            rows = config.batch_size // context.num_replicas_in_sync
            return dataset.rebatch(rows, drop_remainder=True).prefetch(tf.data.AUTOTUNE)

        # From a function, so that a worker decodes its own rows only; TensorFlow's sharding of a
        # whole data set gives workers other examples than one device with the whole batch has.
        return iter(self._strategy.distribute_datasets_from_function(of_worker))

    def _check_that_workers_agree(self, manifest):
        """Raises ConfigError where another worker would train something else."""
        settings = json.dumps([dataclasses.asdict(self._config), dataclasses.asdict(manifest)])
        digests = gather(self._strategy, zlib.crc32(settings.encode()) % 2**24)
        if len(set(digests)) > 1:
            raise ConfigError(
                "all workers must be started with the same settings, records and version. "
                f"Received: other ones here than elsewhere, checksums {sorted(set(digests))}"
            )
        steps = gather(self._strategy, self.start_step)
        if len(set(steps)) > 1:
            raise ConfigError(
                f"--model_dir must be one directory that all workers see. Received: "
                f"{self._model_dir}, with checkpoints of the steps {sorted(set(steps))}"
            )

    def _fixed_samples(self, examples):
        """Pictures from all over the split: neighbours in a video are all alike."""
        every = max(1, examples // PICTURES)
        dataset = eval_dataset(self._data_dir, batch_size=1, split=self._eval_split)
        chosen = list(dataset.shard(every, 0).take(PICTURES))
        return {
            name: np.concatenate([batch[name].numpy() for batch in chosen])
            for name in ("image", "label_map")
        }

    def _steps_to_next_event(self, step):
        """So that inner loops end exactly where something is due, resumed or not.

        Here, before an inner loop, the last one's numbers are written: the place to stop. A
        signal to one worker stops all of them, at the same step. TensorFlow's
        PreemptionCheckpointHandler would have each step wrapped, and save and exit by itself.
        """
        if signum := max(gather(self._strategy, self._stop.signum)):
            raise Stopped(signum)
        config = self._config
        intervals = (
            config.log_every,
            config.evaluate_every,
            config.pictures_every,
            config.checkpoint_every,
        )
        return min(interval - int(step) % interval for interval in intervals)

    def _after_steps(self, output):
        """orbit's action: numbers, score and pictures."""
        config, step = self._config, int(self._global_step.numpy())
        output.update(self._slow_numbers())
        explosions = output.pop("explosions")
        if self._chief:
            self._progress(output, explosions)
        last = step >= self._total
        evaluate = last or step % config.evaluate_every == 0
        draw = last or step % config.pictures_every == 0
        if evaluate or draw:
            self._reestimate()
        if evaluate:
            self._evaluate(step)
        if draw and self._chief:
            self._newest_pictures = self._pictures(step)
            if self._histograms:
                self._histograms(step)

    def _slow_numbers(self):
        step = self._step
        layers = {
            "generator_first": self._generator.blocks[0].conv_0,
            "generator_last": self._generator.blocks[-1].conv_1,
            "discriminator_first": self._discriminator.down[0].conv_1,
            "discriminator_last": self._discriminator.up[-1].conv_2,
        }
        return {
            **{f"sigma/{name}": float(layer.sigma()) for name, layer in layers.items()},
            "learning_rate/generator": float(step.generator_optimizer.learning_rate.numpy()),
            "learning_rate/discriminator": float(
                step.discriminator_optimizer.learning_rate.numpy()
            ),
        }

    def _reestimate(self):
        config = self._config
        # Other batches than the training's, and the same ones each time.
        dataset = train_dataset(
            self._data_dir, batch_size=config.batch_size, seed=config.seed + 1
        ).take(config.statistics_batches)
        self._estimate_statistics(batch["label_map"] for batch in dataset)

    def _evaluate(self, step):
        batches = eval_dataset(
            self._data_dir, batch_size=self._config.batch_size, split=self._eval_split
        )
        scores = self._score(batches)
        if self._metrics is not None:
            scores.update(self._metrics())
        with self._val_writer.as_default():
            for name, value in scores.items():
                tf.summary.scalar(name, value, step=step)
        self._val_writer.flush()
        if self._chosen_by.name not in scores:
            self._progress.close()
            for complaint in self._metrics.complaints():
                print(f"step {step}: {complaint}", file=sys.stderr, flush=True)
            return
        score = self._sign * scores[self._chosen_by.name]
        if score > float(self._best_score.numpy()):
            self._best_score.assign(score)
            self._best.save(checkpoint_number=step)

    def _train_writer(self):
        return self._controller.summary_manager.summary_writer()


def _quiet():
    # orbit prints each loop's numbers to stdout; the live line shows them already.
    return contextlib.redirect_stdout(io.StringIO())
