"""What an accelerator does with the training step, in under eight minutes.

    python -m experiments.accelerator --out FILE.json [--seconds 450] [--quick]

Measures, in this order and as far as the seconds go: determinism (in processes of their own,
before this one takes the device); devices; the training of a run, images a second; the step,
patches beside dense, with and without XLA, by precision, classes and batch; the parity arrays. What
was left out is said. Where TensorFlow cannot be installed, `export_step` and `run_in_jax` do some
of it.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np

from data_pipeline.errors import first_line
from data_pipeline.files import write_atomically
from data_pipeline.paths import PathAction
from oasis_tf.tf_setup import quick_graphs, quiet_log

ROOT = Path(__file__).parents[2]
STEPS = 5  # of each case, after the first
# Of each process that looks at determinism, and what is kept for the parity arrays.
DETERMINISM_SECONDS, PARITY_SECONDS = 100, 60
PARTS = {"determinism": False, "determinism by XLA": True}
PRECISIONS = ("mixed_bfloat16", "float32", "mixed_float16")
DENSE, PATCHES, COMPILED = "dense", "patches", "patches by XLA"


def main(argv=None):
    """Measures; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.accelerator",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--out", required=True, action=PathAction, metavar="FILE", help="JSON")
    add("--seconds", type=int, default=450, help="for all of it. Defaults to %(default)s")
    add("--quick", action="store_true", help="toy sizes, to see that every line runs")
    add("--part", choices=tuple(PARTS), help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    quiet_log()
    if arguments.part:
        print(json.dumps(_determinism(arguments.quick, compiled=PARTS[arguments.part])))
        return 0
    _Report(arguments).make()
    return 0


class _Report:
    """The JSON file, written anew after each figure so that none is lost."""

    def __init__(self, arguments):
        self._out, self._quick = arguments.out, arguments.quick
        self._end = time.monotonic() + arguments.seconds
        self._content = {"title": "Accelerator", "quick": arguments.quick}

    def make(self):
        for part in PARTS:
            self._note(part, self._in_a_process("--part", part))
        from benchmarks.machine import describe
        from benchmarks.options import Options
        from oasis_tf.training.devices import device_names, unused_gpu

        quick_graphs()
        options = Options(quick=self._quick)
        self._content.update(describe())
        self._note("devices", {"names": device_names(8), "unused": unused_gpu()})
        self._note("training", _tried(lambda: _training(options)))
        steps = self._content["steps"] = []
        for case in _cases(options):
            if self._left() <= 0:
                steps.append({**case, "left_out": "no time left"})
                continue
            steps.append({**case, **_tried(lambda case=case: _step(options, **case))})
            gc.collect()
            self._note("steps", steps)
        self._note("parity", self._parity())

    def _left(self):
        return self._end - time.monotonic() - PARITY_SECONDS

    def _note(self, name, value):
        self._content[name] = value
        shown = value[-1] if isinstance(value, list) else value
        print(f"{name}: {json.dumps(shown)}", file=sys.stderr, flush=True)
        write_atomically(self._out, json.dumps(self._content, indent=1) + "\n")

    def _in_a_process(self, *flags):
        command = [sys.executable, "-m", "experiments.accelerator", "--out", str(self._out), *flags]
        if self._quick:
            command.append("--quick")
        seconds = None if self._quick else DETERMINISM_SECONDS
        try:
            done = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, timeout=seconds
            )
        except subprocess.TimeoutExpired:
            return {"left_out": f"not done after {seconds} s"}
        if done.returncode:
            return {"error": done.stderr.strip().splitlines()[-1:]}
        return json.loads(done.stdout.splitlines()[-1])

    def _parity(self):
        if self._quick:
            return {"left_out": "quick"}
        seconds = max(1, self._end - time.monotonic())
        command = [sys.executable, "-m", "pytest", "tests/parity", "-q", "-p", "no:cacheprovider"]
        try:
            done = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, timeout=seconds
            )
        except subprocess.TimeoutExpired:
            return {"left_out": "no time left"}
        return {"pytest": done.stdout.strip().splitlines()[-1:], "exit_code": done.returncode}


def _cases(options):
    """The steps to measure, those first that say most: compiling takes a minute or more of each."""
    cases = [
        dict(form=form, precision=precision, classes=classes, batch_size=batch_size)
        for batch_size in ((2,) if options.quick else (16, 4, 1, 32))
        for classes in (options.classes[:1] if options.quick else options.classes)
        for precision in PRECISIONS
        for form in (PATCHES, DENSE, COMPILED)
        # The plain reference has one precision.
        if form != DENSE or precision == "float32"
    ]
    first = next(case for case in cases if case["form"] == COMPILED)
    if options.quick:
        cases = [case for case in cases if case["form"] != COMPILED or case is first]
    return sorted(cases, key=lambda case: case["form"] == COMPILED and case is not first)


def _tried(function):
    """What it returns, or the error: one case that does not fit must not end the rest."""
    try:
        return function()
    except Exception as error:
        return {"error": f"{type(error).__name__}: {first_line(error)[:300]}"}


def _step(options, form, precision, classes, batch_size):
    """Times steps of one form; memory is that of the device, where TensorFlow tells it."""
    import tensorflow as tf

    from benchmarks import ours, plain
    from experiments.accelerator.batches import make_batches

    batches = make_batches(options.records, STEPS, batch_size, classes)
    gpu = bool(tf.config.list_physical_devices("GPU"))
    if gpu:
        tf.config.experimental.reset_memory_stats("GPU:0")
    if form == DENSE:
        training = plain.Training(classes, **options.widths)
        sides = [
            lambda b=b: [float(x) for x in training.step(b["image"], b["label_map"])]
            for b in batches
        ]
    else:
        trainer = ours.trainer(
            classes, batches, options.widths, precision, jit_compile=form == COMPILED
        )
        sides = [lambda: trainer.train(1)] * STEPS
    seconds = []
    # Once before, for graphs and for each size that XLA compiles; both read their losses back.
    for number in range(2):
        for side in sides:
            start = time.perf_counter()
            side()
            seconds.append(time.perf_counter() - start)
            if number == 0 and form != COMPILED:
                break
    measured = seconds[-STEPS:]
    result = {
        "first_call_s": seconds[0],
        "step_s": median(measured),
        "images_per_s": batch_size / median(measured),
        "samples_s": measured,
    }
    if gpu:
        result["peak_bytes"] = tf.config.experimental.get_memory_info("GPU:0")["peak"]
    return result


def _training(options):
    """Images a second of training from records, input pipeline included."""
    import dataclasses

    import tensorflow as tf

    from data_pipeline.records.manifest import Manifest
    from oasis_tf.configs import PRESETS
    from oasis_tf.training.batches import Batches
    from oasis_tf.training.state import TrainingState
    from oasis_tf.training.trainer import Trainer

    manifest = Manifest.read(options.records)
    config = dataclasses.replace(
        PRESETS["sample"],
        image_size=tuple(manifest.image_size),
        batch_size=2 if options.quick else 16,
        precision="float32" if options.quick else "mixed_bfloat16",
        generator_channels=options.widths["base_channels"],
        discriminator_channels=options.widths["base_channels"],
    )
    strategy = tf.distribute.get_strategy()
    state = TrainingState(config, manifest.num_classes)
    trainer = Trainer(
        state.step,
        ema_generator=state.ema_generator,
        ema_decay=config.ema_decay,
        batches=Batches(config, manifest, options.records, strategy).training,
        batch_size=config.batch_size,
        seed=config.seed,
        global_step=state.global_step,
    )
    trainer.train(2)
    steps = 2 if options.quick else 30
    speed = trainer.train(steps)["images_per_second"]
    return {"images_per_s": speed, "batch_size": config.batch_size, "precision": config.precision}


def _determinism(quick, compiled):
    """Whether two courses from the same start end with the same bits; toy networks."""
    import tensorflow as tf

    from benchmarks import ours
    from benchmarks.options import Options
    from experiments.accelerator.batches import make_batches

    quick_graphs()
    tf.config.experimental.enable_op_determinism()
    options = Options(quick=True)
    classes, steps = options.classes[0], 2 if quick else 10
    batches = make_batches(options.records, steps, 2, classes)

    def course():
        tf.keras.utils.set_random_seed(0)
        trainer = ours.trainer(classes, batches, options.widths, jit_compile=compiled)
        metrics = trainer.train(steps)
        variables = tf.nest.flatten([trainer._step.generator.variables, metrics["loss/generator"]])
        return b"".join(np.asarray(v).tobytes() for v in variables)

    return _tried(lambda: {"same_bits": course() == course(), "steps": steps})


if __name__ == "__main__":
    sys.exit(main())
