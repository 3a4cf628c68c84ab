"""A training run in its directory: the state, and the loop with what is done in between.

The loop is our own. Orbit's Controller, of tf-models-official, could drive it, but prints each
loop's numbers to stdout, counts the checkpoints' interval from the start of the process, and has
no place between a checkpoint and an evaluation. Its summary manager writes the curves.
"""

import dataclasses
import functools
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orbit

from data_pipeline.errors import OasisError, first_line
from data_pipeline.files import write_atomically
from data_pipeline.labels.legend import Legend
from oasis_tf.checkpoints.manager import RunCheckpoints
from oasis_tf.checkpoints.run_dir import open_run_dir
from oasis_tf.config import ConfigError
from oasis_tf.console import say
from oasis_tf.training.actions import Histograms, Pictures, Progress
from oasis_tf.training.announce import announced
from oasis_tf.training.batches import Batches
from oasis_tf.training.best import BestCheckpoint
from oasis_tf.training.curves import DescribedScalars, describe
from oasis_tf.training.data_preview import write_data_preview
from oasis_tf.training.devices import device_names
from oasis_tf.training.ema import StatisticsEstimator
from oasis_tf.training.event_files import drop_points
from oasis_tf.training.metric_score import MetricScore
from oasis_tf.training.pace import Pace
from oasis_tf.training.score import DiscriminatorScore
from oasis_tf.training.score_names import CHEAP_SCORE
from oasis_tf.training.settings_card import SETTINGS, write_settings
from oasis_tf.training.signals import Stopped, StopRequest
from oasis_tf.training.state import TrainingState
from oasis_tf.training.strategy import (
    check_batch,
    check_compiled,
    gather,
    is_chief,
    make_strategy,
)
from oasis_tf.training.trainer import Trainer

PICTURES = 8


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
    """A run, opened at the step of its newest checkpoint; `train` makes the others.

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
        stop: `StopRequest` that is listening. Defaults to one that never hears anything.

    Raises:
        ConfigError: a batch that the devices cannot share evenly, several devices for
            `jit_compile`, a damaged checkpoint, or workers that were started differently.

    Attributes:
        state: `TrainingState`.
        best: `BestCheckpoint`.
        notes: lines that the user should read.
        devices: names of what it computes on.
        start_step: steps that were done when the run was opened.
        total_steps: of the whole run.
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
        stop=None,
    ):
        model_dir = Path(model_dir)
        self._config = config
        self._model_dir = model_dir
        self._data_dir = Path(data_dir)
        self._strategy = strategy or make_strategy()
        self._chief = is_chief(self._strategy)
        check_batch(config, self._strategy.num_replicas_in_sync)
        check_compiled(config, self._strategy)
        self.devices = device_names(self._strategy.num_replicas_in_sync)
        self._batches = Batches(config, manifest, data_dir, self._strategy, data_service)
        self._stop = stop or StopRequest()

        with self._strategy.scope():
            self.state = TrainingState(config, manifest.num_classes)
            self._trainer = Trainer(
                self.state.step,
                ema_generator=self.state.ema_generator,
                ema_decay=config.ema_decay,
                start=config.start,
                batches=self._batches.training,
                batch_size=config.batch_size,
                seed=config.seed,
                global_step=self.state.global_step,
                accumulate=config.accumulate,
                steps_per_loop=config.steps_per_loop,
                jit_compile=config.jit_compile,
            )
        self._checkpoints = RunCheckpoints(
            self.state.checkpoint(),
            model_dir / "checkpoints",
            keep=config.keep_checkpoints,
            writes=self._chief,
        )
        self._restore(Legend.of(manifest))
        self.start_step = self._step()
        self._stop.kept = self._checkpoints.newest
        self.total_steps = config.total_steps(manifest.splits["train"].examples)
        self._events = _EventsFile(model_dir / "events.json")
        self._check_that_workers_agree(manifest)
        unfinished = self.start_step > 0 and self._events.finished != self.start_step
        self._unfinished = any(gather(self._strategy, int(unfinished)))

        self._estimate_statistics = StatisticsEstimator(
            self.state.ema_generator,
            seed=config.seed,
            micro_batches=config.accumulate,
            strategy=self._strategy,
        )
        self._score = None
        if config.discriminator == "segmentation":
            self._score = DiscriminatorScore(
                self.state.ema_generator,
                self.state.discriminator,
                seed=config.seed,
                # As many pictures at a time as a device holds in training.
                parts=config.accumulate * self._strategy.num_replicas_in_sync,
            )
        self._metrics = None
        if config.metrics or config.segmenter is not None:
            self._metrics = MetricScore(
                self.state.ema_generator,
                config,
                manifest,
                data_dir,
                self._batches.eval_split,
                model_dir / "measured",
                writes=self._chief,
                before_picture=self._stop_if_asked,
            )
            self._check_that_metrics_agree()
        self.best = self._open_best()
        self.notes = []
        if self._metrics is not None:
            self.notes += self._metrics.complaints() + self._metrics.notices
        if self.best.note is not None:
            self.notes.append(self.best.note)

        self._curves, self._val_curves = (
            orbit.utils.SummaryManager(
                str(model_dir / part) if self._chief else None,
                DescribedScalars(),
                global_step=self.state.global_step,
            )
            for part in ("train", "val")
        )
        self._progress = Progress(self.state.global_step, self.total_steps)
        self._pace = Pace(self.start_step, self.total_steps, self._tell)
        self._facts = {
            "pictures": manifest.splits["train"].examples,
            "classes with unlabelled": manifest.num_classes,
            "steps in all": self.total_steps,
            "devices": ", ".join(self.devices),
        }
        self._histograms = None
        if histograms:
            models = {"generator": self.state.generator, "discriminator": self.state.discriminator}
            self._histograms = Histograms(models, self._curves.summary_writer)
        self._pictures = Pictures(
            self.state.generator,
            self.state.ema_generator,
            lambda: self._batches.some(PICTURES),
            palette=np.asarray(manifest.palette, np.uint8),
            directory=model_dir / "pictures",
            writer=self._curves.summary_writer,
            seed=config.seed,
        )
        # Of an earlier session, until this one makes its own.
        self._newest_pictures = max((model_dir / "pictures").glob("step_*.png"), default=None)

    def train(self):
        """Trains to the end, or until a signal; returns the `Outcome`.

        Raises:
            NonFiniteLossError: a loss became infinite or not a number; the checkpoints stay.
        """
        stopped_by = None
        if self._chief and not self.is_complete:
            for part in ("train", "val"):
                drop_points(self._model_dir / part, functools.partial(self._comes_again, part))
            writer = self._curves.summary_writer()
            write_settings(writer, self._config, self._facts, self.start_step)
            if self.start_step == 0:
                write_data_preview(writer, self._data_dir, self.start_step)
        try:
            if self._unfinished:
                self._make_events()
            while self._step() < self.total_steps:
                self._stop_if_asked()
                self._watch_pace()
                output = self._trainer.train(self._steps_to_next_event(), go_on=self._goes_on)
                if output is None:
                    continue
                self._stop.unsaved = True
                self._log(output)
                # Before what is made of the step, which may take an hour.
                if any(map(self._is_due, self._save_intervals())):
                    self._save()
                self._make_events()
        except Stopped as stop:
            stopped_by = stop.signum
            self._save()
        finally:
            self._progress.close()
            self._curves.flush()
        return Outcome(
            step=self._step(),
            checkpoint=self._checkpoints.newest,
            best_checkpoint=self.best.path,
            best_score=self.best.score,
            chosen_by=self.best.name,
            pictures=self._newest_pictures,
            stopped_by=stopped_by,
        )

    @property
    def size(self):
        """One line on the networks and where they run."""
        replicas = self._strategy.num_replicas_in_sync
        return f"{self.state.size}, {replicas} {'device' if replicas == 1 else 'devices'}"

    @property
    def is_complete(self):
        """Whether nothing is left to do."""
        return self.start_step >= self.total_steps and not self._unfinished

    def _watch_pace(self):
        # Only a CPU takes hours unexpectedly; a GPU would have to be waited for to know the step.
        if self.devices == ["CPU"]:
            self._pace(self._step())

    def _tell(self, line):
        self._progress.close()
        if self._chief:
            say(line)

    def _step(self):
        return int(self.state.global_step.numpy())

    def _restore(self, legend):
        """Goes on from the newest checkpoint; without any, from `init_from`."""
        try:
            restored = self._checkpoints.restore_newest()
        except OasisError:
            raise
        # TensorFlow meets a damaged file with IndexError, OpError, ValueError and others.
        except Exception as error:
            raise ConfigError(
                f"checkpoint {self._checkpoints.newest} must be whole and of this "
                f"version. Received: {first_line(error)}"
            ) from error
        if restored is None and self._config.init_from is not None:
            source = open_run_dir(self._config.init_from)
            line = None
            if self._config.init_classes == "by_name":
                with self._strategy.scope():
                    line = source.restore_classes(legend, self.state.networks)
            else:
                source.restore(**self.state.networks)
            if self._chief:
                say(f"checkpoint: {source.title}")
                if line:
                    say(line)

    def _open_best(self):
        """`BestCheckpoint`, chosen by the first metric that has a value, or by the cheap score.

        Raises:
            ConfigError: there is neither.
        """
        choice = {"name": CHEAP_SCORE}
        if self._metrics is not None and self._metrics.chosen_by is not None:
            choice = {
                "name": self._metrics.chosen_by,
                "network": self._metrics.network,
                "higher_is_better": self._metrics.higher_is_better,
            }
        elif self._score is None:
            raise ConfigError(
                "--discriminator real_fake needs a first one of --metrics that can be computed, to "
                "choose the best checkpoint by. Received: " + "; ".join(self._metrics.complaints())
            )
        return BestCheckpoint(self.state, self._model_dir / "best", writes=self._chief, **choice)

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

    def _comes_again(self, part, step, tag):
        """Whether a point of TensorBoard's is written (again) from this step on."""
        if step != self.start_step or tag == SETTINGS or not step:
            return step >= self.start_step
        # What is made of a step after its checkpoint; the curves of training come before it.
        return self._unfinished and (part == "val" or describe(tag) is None)

    def _check_that_metrics_agree(self):
        """Raises ConfigError where workers would draw other numbers of pictures for the metrics.

        They ask each other between pictures whether to stop.
        """
        names = ",".join(self._metrics.computable)
        if len(set(gather(self._strategy, zlib.crc32(names.encode()) % 2**24))) > 1:
            raise ConfigError(
                "all workers must have the networks' weights that --metrics needs. "
                f"Received: here they are there for {names or 'none'}, elsewhere for others"
            )

    def _goes_on(self, done):
        self._stop.unsaved = self._stop.unsaved or done > 0
        self._watch_pace()
        # Asking the other workers takes an exchange, so they are asked once a loop.
        return not self._stop.signum or self._strategy.cluster_resolver is not None

    def _stop_if_asked(self):
        """Raises `Stopped` if any worker got a signal: all of them stop at the same step."""
        if signum := max(gather(self._strategy, self._stop.signum)):
            raise Stopped(signum)

    def _interruptible(self, batches):
        for batch in batches:
            self._stop_if_asked()
            yield batch

    def _save_intervals(self):
        config = self._config
        return config.checkpoint_every, config.evaluate_every, config.pictures_every

    def _steps_to_next_event(self):
        """So that a loop ends exactly where something is due, resumed or not."""
        intervals = (self._config.log_every, *self._save_intervals())
        due = min(interval - self._step() % interval for interval in intervals)
        return min(due, self.total_steps - self._step())

    def _save(self):
        self._curves.flush()
        with announced("saving", self._tell):
            self._checkpoints.save(self._step())
        self._stop.kept = self._checkpoints.newest
        # Other workers count on this one, which therefore does not end at once.
        self._stop.unsaved = self._strategy.cluster_resolver is not None

    def _is_due(self, interval):
        return self._step() >= self.total_steps or self._step() % interval == 0

    def _log(self, output):
        """The numbers of the last steps, on the terminal and in TensorBoard."""
        explosions = output.pop("explosions")
        if not self._chief:
            return
        self._progress(output, explosions)
        self._curves.write_summaries({**output, **self._sigmas_and_rates()})

    def _sigmas_and_rates(self):
        step, generator, discriminator = (
            self.state.step,
            self.state.generator,
            self.state.discriminator,
        )
        layers = {
            "generator_first": generator.blocks[0].conv_0,
            "generator_last": generator.blocks[-1].conv_1,
            "discriminator_first": discriminator.blocks[0].conv_1,
            "discriminator_last": discriminator.blocks[-1].conv_2,
        }
        rates = {
            "generator": step.generator_optimizer.learning_rate,
            "discriminator": step.discriminator_optimizer.learning_rate,
        }
        return {
            **{f"sigma/{name}": float(layer.sigma()) for name, layer in layers.items()},
            **{f"learning_rate/{name}": float(rate.numpy()) for name, rate in rates.items()},
        }

    def _make_events(self):
        """What is due at this step after its checkpoint: scores, and pictures.

        The step counts as finished only then. A run that was killed in between makes them when it
        is resumed.
        """
        evaluate, draw = map(
            self._is_due, (self._config.evaluate_every, self._config.pictures_every)
        )
        if not (evaluate or draw):
            return
        with announced("re-estimating the average's statistics", self._tell):
            self._estimate_statistics(self._interruptible(self._batches.for_statistics()))
        if evaluate:
            with announced("validating", self._tell):
                self._evaluate()
        if draw and self._chief:
            with announced("drawing pictures", self._tell):
                self._newest_pictures = self._pictures(self._step())
            if self._histograms:
                self._histograms(self._step())
        self._curves.flush()
        if self._chief:
            self._events.write(self._step())

    def _evaluate(self):
        scores = {}
        if self._score is not None:
            scores.update(self._score(self._interruptible(self._batches.for_evaluation())))
        if self._metrics is not None:
            scores.update(self._metrics())
        self._val_curves.write_summaries(scores)
        self._val_curves.flush()
        if self.best.name in scores:
            self.best.offer(scores[self.best.name], self._step())
            return
        self._progress.close()
        for complaint in self._metrics.complaints():
            say(f"step {self._step()}: {complaint}")


class _EventsFile:
    """Which step's scores and pictures were made last.

    Args:
        path: Path of a JSON file that need not be there.

    Attributes:
        finished: that step, or None.
    """

    def __init__(self, path):
        self._path = path
        try:
            self.finished = json.loads(path.read_text())["finished"]
        except (OSError, ValueError, KeyError, TypeError):
            self.finished = None

    def write(self, step):
        """Keeps the step."""
        write_atomically(self._path, json.dumps({"finished": step}) + "\n")
