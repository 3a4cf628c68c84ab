"""Trains with both ways of `--start` and writes what came of it into a JSON file.

    python -m experiments.start --data_dir DIR --segmenter DIR --work DIR --out FILE.json

Each run is `python -m oasis_tf.train` with the paper's settings on narrow networks; its numbers
are those that it writes for TensorBoard. Can be stopped at any time: the same command goes on.
4,000 steps of one run on 64x64 pictures take about 40 minutes of one CPU core and a half. The
segmenter is one of `python -m oasis_tf.train_segmenter`.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from data_pipeline.files import write_atomically
from data_pipeline.paths import PathAction
from data_pipeline.records.manifest import Manifest
from experiments.start.read_run import read_run
from oasis_tf.config import STARTS
from oasis_tf.training.step import NETWORKS

ROOT = Path(__file__).parents[2]
# The steps whose every gradient norm is kept.
FIRST_STEPS = 200


def parse_arguments(argv=None):
    """Parses the command line into an `argparse.Namespace`."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.start",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name, what in (
        ("data_dir", "records of 64x64 pictures, or of another size"),
        ("work", "for the runs"),
        ("out", "the JSON file"),
    ):
        parser.add_argument(f"--{name}", required=True, action=PathAction, help=what)
    parser.add_argument(
        "--segmenter", action=PathAction, help="without one, gradient norms and losses only"
    )
    parser.add_argument("--starts", nargs="+", choices=STARTS, default=list(STARTS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--steps", type=int, default=4000, help="default: %(default)s")
    parser.add_argument("--evaluate_every", type=int, default=500, help="default: %(default)s")
    parser.add_argument("--base_channels", type=int, default=16, help="default: %(default)s")
    parser.add_argument("--batch_size", type=int, default=8, help="default: %(default)s")
    parser.add_argument("--precision", default="float32", help="default: %(default)s")
    parser.add_argument(
        "--jobs", type=int, default=2, help="runs at a time, one core each; default: %(default)s"
    )
    return parser.parse_args(argv)


def main(argv=None):
    """Trains what is missing and writes the file; returns the exit code."""
    arguments = parse_arguments(argv)
    wanted = list(itertools.product(arguments.seeds, arguments.starts))
    with ThreadPoolExecutor(arguments.jobs) as pool:
        runs = list(pool.map(lambda run: _train(arguments, *run), wanted))
    manifest = Manifest.read(arguments.data_dir)
    content = {
        "data": {"dataset": manifest.dataset, "image_size": list(manifest.image_size)},
        "settings": {
            name: getattr(arguments, name)
            for name in ("base_channels", "batch_size", "precision", "steps")
        },
        "runs": runs,
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(arguments.out, json.dumps(content, separators=(",", ":")) + "\n")
    for run in runs:
        norm = max(run["first_steps"]["gradient_norm/discriminator"])
        entered = "  ".join(
            f"{network} {max(values) / statistics.median(values):.3g}"
            for network in NETWORKS
            for values in [run["first_steps"][f"entered/{network}"]]
        )
        print(f"{run['start']:<9} seed {run['seed']}  largest norm of D {norm:.3g}")
        print(f"  largest of what entered the optimiser over its median: {entered}")
        for step, scores in run["scores"].items():
            print(f"  step {step:>5}  {'  '.join(f'{n} {x:.3f}' for n, x in scores.items())}")
    return 0


def _train(arguments, seed, start):
    """One run, in two stages: the first steps with every number, the others with some."""
    model_dir = arguments.work / f"{start}_{seed}"
    flags = {
        "dataset": Manifest.read(arguments.data_dir).dataset,
        "data_dir": arguments.data_dir.resolve(),
        "model_dir": model_dir.resolve(),
        "start": start,
        "seed": seed,
        "base_channels": arguments.base_channels,
        "batch_size": arguments.batch_size,
        "precision": arguments.precision,
        "ema_decay": 0.999,
        "evaluate_every": arguments.evaluate_every,
        "pictures_every": arguments.evaluate_every,
        "checkpoint_every": arguments.evaluate_every,
    }
    if arguments.segmenter is not None:
        flags |= {"segmenter": arguments.segmenter.resolve(), "metrics": "miou,fid"}
        flags |= {"features": "segmenter"}
    first = min(FIRST_STEPS, arguments.steps)
    log = arguments.work / f"{start}_{seed}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    for steps, log_every in ((first, 1), (arguments.steps, 20)):
        if (model_dir / "checkpoints" / f"step-{arguments.steps}.index").exists():
            break
        if steps == first and (model_dir / "checkpoints" / f"step-{first}.index").exists():
            continue
        _run({**flags, "steps": steps, "log_every": log_every}, log)
    return {"start": start, "seed": seed, **read_run(model_dir, first)}


def _run(flags, log):
    words = [word for name, value in flags.items() for word in (f"--{name}", str(value))]
    one_core = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    with open(log, "a") as output:
        subprocess.run(
            [sys.executable, "-m", "oasis_tf.train", *words],
            check=True,
            cwd=ROOT,
            env={**os.environ, **one_core},
            stdout=output,
            stderr=output,
        )


if __name__ == "__main__":
    sys.exit(main())
