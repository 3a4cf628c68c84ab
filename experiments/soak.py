"""Trains for long and watches memory, open files and traces.

`python -m experiments.soak --data_dir DIR` runs the training command on tiny networks with
evaluation, pictures, checkpoints and TensorBoard on, exports a SavedModel now and then, and prints
the table of docs/survival.md. The exit code is 1 if something grows that should not.
"""

import argparse
import dataclasses
import gc
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

from data_pipeline.paths import PathAction

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

EVERY = 50
EVENTS_EVERY = 200
EXPORT_EVERY = 1000
# Of the resident memory halfway, over the second half: allocators and TensorBoard's plugin data
# take a little for a while; one batch kept a step would be several times this.
MAY_GROW = 0.03


@dataclasses.dataclass(frozen=True)
class Sample:
    """After `step` steps: MiB resident, open descriptors, traces of the training step."""

    step: int
    memory: float
    files: int
    traces: int


def main(argv=None):
    """Runs the soak; returns 0, or 1 with a line on stderr for each thing that grew."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.soak", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "--data_dir", required=True, action=PathAction, help="records of any small set"
    )
    parser.add_argument("--steps", type=int, default=2000, help="default: %(default)s")
    arguments = parser.parse_args(argv)
    samples = soak(arguments.data_dir, arguments.steps)
    print(table(samples))
    problems = judge(samples)
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


def soak(data_dir, steps):
    """Trains tiny networks; returns a list of `Sample`, one every `EVERY` steps."""
    from data_pipeline.records.manifest import Manifest
    from oasis_tf import train
    from oasis_tf.training import loop

    samples = []
    with tempfile.TemporaryDirectory() as place:
        model_dir, exported = Path(place) / "run", Path(place) / "exported"

        class Watched(loop.Run):
            """A run that is measured when all that is due at a step has been done."""

            def _after_steps(self, output):
                super()._after_steps(output)
                step = int(self._global_step.numpy())
                if step % EXPORT_EVERY == 0:
                    # As a user does. In this process each would leave 20 to 70 MiB behind.
                    command = [sys.executable, "-m", "oasis_tf.export", "--model", str(model_dir)]
                    subprocess.run([*command, "--out", str(exported)], cwd=ROOT, check=True)
                if step % EVERY == 0:
                    traces = self._controller.trainer._train_step.experimental_get_tracing_count()
                    samples.append(_sample(step, traces))
                    print(samples[-1], file=sys.stderr, flush=True)

        arguments = ["--dataset", Manifest.read(data_dir).dataset, "--data_dir", str(data_dir)]
        arguments += ["--model_dir", str(model_dir), "--toy", "--base_channels", "1"]
        arguments += ["--batch_size", "2", "--steps", str(steps)]
        for event in ("evaluate", "pictures", "checkpoint"):
            arguments += [f"--{event}_every", str(EVENTS_EVERY)]
        with mock.patch.object(loop, "Run", Watched):
            code = train.main(arguments)
        if code:
            raise SystemExit(code)
    return samples


def judge(samples):
    """What grew although it should not, a sentence each; an empty list if nothing did."""
    half, problems = samples[len(samples) // 2 :], []
    growth = half[-1].memory / half[0].memory - 1
    if growth > MAY_GROW:
        problems.append(
            f"resident memory must grow by at most {MAY_GROW:.0%} in the second half. "
            f"Received: {growth:.1%}, {half[0].memory:.0f} to {half[-1].memory:.0f} MiB"
        )
    if half[-1].files > half[0].files:
        problems.append(f"open files must not grow. Received: {half[0].files}, {half[-1].files}")
    if half[-1].traces > samples[0].traces:
        problems.append(
            f"the step must be traced once and for all. Received: {samples[0].traces} traces, "
            f"later {half[-1].traces}"
        )
    return problems


def table(samples, rows=10):
    """The samples as a Markdown table of so many rows, the last one included."""
    lines = ["| step | memory, MiB | open files | traces of the step |", "|--:|--:|--:|--:|"]
    every = max(1, len(samples) // rows)
    lines += [
        f"| {s.step} | {s.memory:.0f} | {s.files} | {s.traces} |"
        for i, s in enumerate(samples)
        if i == 0 or (i + 1) % every == 0
    ]
    return "\n".join(lines)


def _sample(step, traces):
    gc.collect()
    status = Path("/proc/self/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    files = len(os.listdir("/proc/self/fd")) - 1  # without the one that listing opens
    return Sample(step, int(resident.split()[1]) / 1024, files, traces)


if __name__ == "__main__":
    sys.exit(main())
