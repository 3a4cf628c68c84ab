"""The inner loop: steps, their randomness and their numbers."""

import functools
import queue
import threading
import time

import numpy as np
import tensorflow as tf

from data_pipeline.errors import OasisError
from oasis_tf.execution import compiled, for_xla
from oasis_tf.keras_setup import keras
from oasis_tf.training.accumulated_step import AccumulatedStep
from oasis_tf.training.ema import update_ema, warmed_up
from oasis_tf.training.randomness import Purpose, replica_part, step_mask_bits, step_noise
from oasis_tf.training.step import METRICS, NETWORKS
from oasis_tf.training.strategy import compiles_by_itself

# The steps in which kernels change so fast, next to their size, that one power iteration a pass
# lags behind, and how many more each step makes in them.
REFINED_STEPS = 1000
POWER_ITERATIONS = 4
# How many updates in a row may overflow in float16. The loss scale starts at 2^15 and halves each
# time: by then it is 2^-25, and what overflows still is no gradient that a scale can save.
OVERFLOWS = 40
# Multiples of the running norm from which on a gradient is told of.
EXPLOSION = 1000.0


class NonFiniteLossError(OasisError, ArithmeticError):
    """A loss or gradient norm became infinite or not a number; names the term and the step."""


class OverflowingError(OasisError, ArithmeticError):
    """So many float16 updates in a row overflowed that none will be made again; names the step."""


class Trainer:
    """Runs training steps and collects their numbers.

    One step is two updates, of the generator and of the discriminator, and one of the average.

    Args:
        step: `AdversarialStep`.
        ema_generator: the averaged `Generator`.
        ema_decay: float in [0, 1].
        start: "guarded" lets the average's decay rise to that (`ema.warmed_up`), and in the first
            `REFINED_STEPS` makes `POWER_ITERATIONS` more on both networks after each step.
            "released" does neither. Defaults to "guarded".
        batches: function from the number of steps done to an infinite iterator over (global)
            batches from there on, dicts with `image`, `label_map` and, made beside the step
            (`add_patch_index`), `patch_index`.
        batch_size: B over all replicas.
        seed: int, of noise and LabelMix masks.
        global_step: int64 variable, counts steps.
        accumulate: micro-batches of an update (`AccumulatedStep`). Defaults to 1.
        steps_per_loop: steps made by one call of TensorFlow; the iterator must be one of
            TensorFlow where it is more than 1. Defaults to 1.
        jit_compile: XLA compiles the step, once for each size of the patch index, which must be
            in the batches then. On one device. Defaults to False.
    """

    def __init__(
        self,
        step,
        *,
        ema_generator,
        ema_decay,
        start="guarded",
        batches,
        batch_size,
        seed,
        global_step,
        accumulate=1,
        steps_per_loop=1,
        jit_compile=False,
    ):
        self.global_step = global_step
        self._step = step
        self._ema_generator = ema_generator
        self._ema_decay = ema_decay
        self._guarded = start == "guarded"
        self._batches = batches
        self._batch_size = batch_size
        self._seed = seed
        self._strategy = tf.distribute.get_strategy()
        self._iterator = None
        self._go_on = lambda done: True
        self._accumulated = AccumulatedStep(step, accumulate) if accumulate > 1 else None
        self._steps_per_loop = steps_per_loop
        self._overflows = dict.fromkeys(NETWORKS, 0)
        self._for_xla = compiles_by_itself(self._strategy)
        self._jit_compile = jit_compile and not self._for_xla
        self._train_step = None  # with the iterator
        self._train_steps = tf.function(self._distributed_steps, autograph=False)

    def train(self, num_steps, go_on=lambda done: True):
        """Makes `num_steps` steps, or fewer.

        Args:
            num_steps: int, 1 or more.
            go_on: function of how many of them are made; asked between two steps, and while a
                batch is waited for. False ends the loop.

        Returns:
            None where no step was made, else
            dict from names to floats: the means over the steps made, of `gradient_excess/...` the
            largest, `images_per_second`, and with loss scaling `skipped_updates/...`: how many in
            all overflowed so far. `explosions` is a list of (network, step, norm, multiple of the
            running norm): the gradients beyond `EXPLOSION`.

        Raises:
            NonFiniteLossError: after the steps, before anything is saved.
            OverflowingError: likewise, after `OVERFLOWS` skipped updates of a network in a row.
        """
        done = int(self.global_step.numpy())
        if self._iterator is None:
            # Here and not earlier: by now the step is restored.
            self._iterator = self._batches(done)
            self._train_step = self._compiled_step()
        start = time.perf_counter()
        self._go_on = go_on
        metrics = self._make_steps(num_steps)
        if metrics is None:
            return None
        elapsed = time.perf_counter() - start
        count = len(metrics[METRICS[0]])
        for i in range(count):
            for name, values in metrics.items():
                if not np.isfinite(values[i]):
                    raise NonFiniteLossError(f"{name} is {values[i]} at step {done + i + 1}")
        self._count_overflows(metrics, done)
        output = {name: float(values.mean()) for name, values in metrics.items()}
        for network in NETWORKS:
            del output[f"skipped/{network}"]
            output[f"gradient_excess/{network}"] = float(
                metrics[f"gradient_excess/{network}"].max()
            )
        speed = count * self._batch_size / elapsed
        return {
            **output,
            **self._skipped_updates(),
            "images_per_second": speed,
            "explosions": _explosions(metrics, done),
        }

    def _compiled_step(self):
        """The step of one batch, one graph for any number of distinct patches in it."""
        spec = getattr(self._iterator, "element_spec", None)  # an iterator of Python has none
        options = {} if spec is None else {"input_signature": [spec]}
        return compiled(self._distributed_step, self._jit_compile, **options)

    def _make_steps(self, count):
        """dict from names to float64 (steps made,), or None."""
        outputs, done = [], 0
        while done < count and self._go_on(done):
            several = min(self._steps_per_loop, count - done)
            if self._steps_per_loop == 1:
                batch = _unless_stopped(self._iterator, functools.partial(self._go_on, done))
                if batch is None:
                    break
                output = self._train_step(batch)
                outputs.append([[output[name] for name in METRICS]])
            else:
                # A tensor, so that a shorter last call needs no graph of its own.
                outputs.append(self._train_steps(self._iterator, tf.constant(several)))
            done += several
        if not outputs:
            return None
        # Only now, so that a GPU does not wait for the host between two steps.
        rows = np.concatenate([np.array(output, float) for output in outputs])
        return dict(zip(METRICS, rows.T, strict=True))

    def _count_overflows(self, metrics, done):
        for network in NETWORKS:
            for i, skipped in enumerate(metrics[f"skipped/{network}"]):
                self._overflows[network] = self._overflows[network] + 1 if skipped else 0
                if self._overflows[network] >= OVERFLOWS:
                    raise OverflowingError(
                        f"--precision mixed_float16 must keep the gradients in its range. "
                        f"Received: {OVERFLOWS} updates of the {network} in a row that overflow, "
                        f"the last at step {done + i + 1}; mixed_bfloat16 has the range of float32"
                    )

    def _skipped_updates(self):
        optimizers = {
            "generator": self._step.generator_optimizer,
            "discriminator": self._step.discriminator_optimizer,
        }
        done = int(self.global_step.numpy())
        return {
            f"skipped_updates/{name}": float(done - optimizer.inner_optimizer.iterations.numpy())
            for name, optimizer in optimizers.items()
            if isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        }

    def _distributed_steps(self, iterator, count):
        """`count` steps inside the graph: float32 (count, metrics)."""

        def body(number, rows):
            metrics = self._train_step(iterator.get_next())
            row = tf.stack([metrics[name] for name in METRICS])
            return number + 1, rows.write(number, row)

        rows = tf.TensorArray(tf.float32, count, element_shape=(len(METRICS),))
        _, rows = tf.while_loop(
            lambda number, _: number < count, body, (tf.constant(0), rows), parallel_iterations=1
        )
        return rows.stack()

    def _distributed_step(self, batch):
        with for_xla(self._for_xla):
            return self._update(batch)

    def _update(self, batch):
        if self._accumulated is None:
            metrics = self._strategy.run(self._replica_step, args=(batch,))
        else:
            draws = self._strategy.run(self._draws)
            metrics = self._accumulated(batch["image"], batch["label_map"], *draws, **_index(batch))
        decay = self._ema_decay
        if self._guarded:
            decay = warmed_up(decay, self.global_step)
            self._refine()
        update_ema(self._ema_generator, self._step.generator, decay, self._strategy)
        self.global_step.assign_add(1)
        mean = tf.distribute.ReduceOp.MEAN
        return {n: self._strategy.reduce(mean, v, axis=None) for n, v in metrics.items()}

    def _refine(self):
        def everywhere():
            self._strategy.run(self._step.refine, args=(POWER_ITERATIONS,))
            return True

        tf.cond(self.global_step < REFINED_STEPS, everywhere, lambda: False)

    def _replica_step(self, batch):
        return self._step(batch["image"], batch["label_map"], *self._draws(), **_index(batch))

    def _draws(self):
        """This replica's noise for both updates, and its random bits for LabelMix."""
        generator = self._step.generator
        noise_shape = (self._batch_size, generator.noise_channels)
        draws = (
            step_noise(noise_shape, self._seed, self.global_step, Purpose.GENERATOR_NOISE),
            step_noise(noise_shape, self._seed, self.global_step, Purpose.DISCRIMINATOR_NOISE),
            step_mask_bits((self._batch_size, generator.num_classes), self._seed, self.global_step),
        )
        return tuple(map(replica_part, draws))


def _index(batch):
    """The patch index as a keyword argument, where the batch has one."""
    return {name: batch[name] for name in ("patch_index",) if name in batch}


def _unless_stopped(iterator, go_on):
    """The next batch, or None if `go_on` becomes False while it is waited for.

    TensorFlow cannot be interrupted while it waits, for a data service that is gone perhaps, so a
    thread does the waiting.
    """
    answer = queue.SimpleQueue()

    def fetch():
        try:
            answer.put((next(iterator), None))
        except BaseException as error:
            answer.put((None, error))

    threading.Thread(target=fetch, daemon=True).start()
    while True:
        try:
            batch, error = answer.get(timeout=0.2)
        except queue.Empty:
            if not go_on():
                return None
            continue
        if error is not None:
            raise error
        return batch


def _explosions(metrics, done):
    return [
        (network, done + i + 1, float(metrics[f"gradient_norm/{network}"][i]), float(excess))
        for network in NETWORKS
        for i, excess in enumerate(metrics[f"gradient_excess/{network}"])
        if excess > EXPLOSION
    ]
