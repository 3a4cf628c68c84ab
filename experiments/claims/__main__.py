"""Trains the method and the method without each of its parts, and scores all of them.

    python -m experiments.claims --work DIR --out FILE.json

Without --data_dir it draws the sample data set, sparse and long-tailed as LVIS, with enough
validation pictures of rare classes. It trains a segmenter on the photographs. Each run
is `python -m oasis_tf.train --toy`, and its scores are those of `python -m oasis_tf.evaluate`. Can
be stopped at any time: the same command goes on. Beside FILE.json, with every run, it writes
FILE.md, a table and the sentences that the spread over the seeds allows, and FILE.svg, a plot.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from data_pipeline.errors import OasisError
from data_pipeline.files import write_atomically
from data_pipeline.paths import PathAction
from data_pipeline.records.manifest import Manifest
from experiments.claims.plot import draw
from experiments.claims.report import report
from experiments.claims.scores import GROUPS, of_photographs, read_scores
from experiments.claims.variants import variants

ROOT = Path(__file__).parents[2]
_METRICS = "fid,kid,miou,ms_ssim,feature_diversity,colour,texture"
# Pictures of a rare class that are enough to measure it.
_LEAST_VAL = 12


class ExperimentError(OasisError, RuntimeError):
    """A part of the experiment failed, or --work holds another one."""


def parse_arguments(argv=None):
    """Parses the command line into an `argparse.Namespace`."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.claims",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--data_dir", action=PathAction, help="records; default: the sample data set at 64x64")
    add("--work", required=True, action=PathAction, help="for data, segmenter and runs")
    add("--out", required=True, action=PathAction, help="the JSON file")
    add(
        "--variants",
        nargs="+",
        choices=list(variants("")),
        help="default: all; perceptual only with --vgg_weights",
    )
    add("--vgg_weights", action=PathAction, help="as for oasis_tf.train, for one more variant")
    add("--seeds", type=int, default=3, help="how many, from 1; default: %(default)s")
    add("--steps", type=int, default=840, help="of a run; default: %(default)s")
    add("--segmenter_steps", type=int, default=1000, help="of the segmenter; default: %(default)s")
    add("--samples", type=int, default=4, help="pictures a label map, for diversity: %(default)s")
    add(
        "--diversity_maps",
        type=int,
        default=60,
        help="label maps for diversity; default: %(default)s",
    )
    add("--jobs", type=int, default=2, help="runs at a time, one core each; default: %(default)s")
    return parser.parse_args(argv)


def main(argv=None):
    """Makes what is missing and writes the files; returns the exit code."""
    arguments = parse_arguments(argv)
    try:
        return _main(arguments)
    except OasisError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on", file=sys.stderr)
        return 130


def _main(arguments):
    for name in ("seeds", "steps", "segmenter_steps", "diversity_maps", "jobs"):
        if getattr(arguments, name) < 1:
            raise ExperimentError(
                f"--{name} must be 1 or more. Received: {getattr(arguments, name)}"
            )
    if arguments.samples < 2:
        raise ExperimentError(f"--samples must be 2 or more. Received: {arguments.samples}")
    weights = arguments.vgg_weights
    possible = variants(None if weights is None else str(weights.resolve()))
    names = arguments.variants or list(possible)
    if missing := [name for name in names if name not in possible]:
        raise ExperimentError(
            f"--variants {missing[0]} needs --vgg_weights FILE, see python -m oasis_tf.train --help"
        )
    arguments.work.mkdir(parents=True, exist_ok=True)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    data_dir = arguments.data_dir or _sample_records(arguments.work)
    segmenter = _segmenter(arguments, data_dir)
    settings = {
        name: getattr(arguments, name)
        for name in ("steps", "segmenter_steps", "samples", "diversity_maps")
    }
    manifest = Manifest.read(data_dir)
    shards = {s.name: s.sha256 for split in manifest.splits.values() for s in split.shards}
    _check_same(arguments.work / "settings.json", {**settings, "shards": shards})
    groups, counts = _groups(data_dir), manifest.splits
    content = {
        "data": {
            "dataset": data_dir.resolve().name
            if manifest.dataset == "folder"
            else manifest.dataset,
            "image_size": list(manifest.image_size),
            "pictures": counts["train"].examples,
            "measured": counts["val"].examples,
            "groups": {name: len(groups[name]) for name in GROUPS},
        },
        "settings": settings,
        "photographs": None,
        "runs": [],
    }
    # Seed by seed, so that what there is after an hour can be compared.
    wanted = list(itertools.product(range(1, arguments.seeds + 1), names))

    def make(run):
        seed, name = run
        return _run(arguments, data_dir, segmenter, name, possible[name][1], seed)

    failures = []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        futures = [pool.submit(make, run) for run in wanted]
        for (seed, name), future in zip(wanted, futures, strict=True):
            try:
                result = future.result()
            except ExperimentError as error:
                failures.append(str(error))
                continue
            scores, classes = read_scores(result, groups)
            content["photographs"] = of_photographs(result, groups)
            content["runs"].append(
                {"variant": name, "seed": seed, "scores": scores, "classes": classes}
            )
            _write(arguments.out, content, names)
            print(f"{name} seed {seed}: mIoU {scores['miou']:.3f}", flush=True)
    if failures:
        raise ExperimentError("; ".join(failures))
    print(report(content), end="")
    return 0


def _write(out, content, names):
    """The three files, of what there is by now."""
    runs = sorted(content["runs"], key=lambda run: (names.index(run["variant"]), run["seed"]))
    content = {**content, "runs": runs}
    write_atomically(out, json.dumps(content, separators=(",", ":")) + "\n")
    write_atomically(out.with_suffix(".md"), report(content))
    draw(content, out.with_suffix(".svg"))


def _check_same(path, settings):
    """Raises ExperimentError if --work holds an experiment of other settings."""
    if not path.exists():
        write_atomically(path, json.dumps(settings, indent=1) + "\n")
        return
    before = json.loads(path.read_text())
    differing = [name for name, value in settings.items() if before.get(name) != value]
    if differing:
        raise ExperimentError(
            f"--work {path.parent} must be new or hold the same experiment. Received: one of "
            "other " + ", ".join(differing)
        )


def _sample_records(work):
    """Records of the sample data set, drawn and built unless they are there."""
    from data_pipeline import build
    from data_pipeline.sample import draw_sample

    draw_sample(work / "sample", least_val=_LEAST_VAL)
    records = work / "records"
    flags = ["--dataset", "sample", "--source", work / "sample", "--out", records]
    if build.main([*map(str, flags), "--image_size", "64", "64"]):
        raise ExperimentError(f"the records could not be built in {records}")
    return records


def _segmenter(arguments, data_dir):
    """Path of the segmenter, trained unless it is there."""
    segmenter = arguments.work / "segmenter"
    if not (segmenter / "segmenter.json").exists():
        flags = {"data_dir": data_dir.resolve(), "out": segmenter.resolve()}
        flags |= {"steps": arguments.segmenter_steps, "base_channels": 16}
        _command("train_segmenter", flags, arguments.work / "segmenter.log", one_core=False)
    return segmenter


def _groups(data_dir):
    # Late, for TensorFlow takes seconds to import.
    from oasis_tf.evaluation.frequency import frequency_groups, picture_counts

    return frequency_groups(picture_counts(data_dir))


def _run(arguments, data_dir, segmenter, name, flags, seed):
    """Trains and evaluates one run unless it is done; what `evaluate` wrote."""
    run = arguments.work / f"{name}_{seed}"
    scores, log = run / "scores.json", arguments.work / f"{name}_{seed}.log"
    if not scores.exists():
        common = {"data_dir": data_dir.resolve(), "segmenter": segmenter.resolve()}
        training = {
            "dataset": Manifest.read(data_dir).dataset,
            **common,
            "model_dir": run.resolve(),
            "toy": True,
            "seed": seed,
            "steps": arguments.steps,
            # One evaluation, at the end: nothing is chosen by the segmenter's own score.
            "evaluate_every": arguments.steps,
            "pictures_every": arguments.steps,
            "checkpoint_every": min(arguments.steps, 200),
            **flags,
        }
        _command("train", training, log)
        evaluation = {
            **common,
            "model": run.resolve(),
            "metrics": _METRICS,
            "features": "segmenter",
            "samples": arguments.samples,
            "diversity_maps": arguments.diversity_maps,
            "cache_dir": (arguments.work / "cache").resolve(),
            "out": scores.resolve(),
        }
        _command("evaluate", evaluation, log)
    return json.loads(scores.read_text())


def _command(module, flags, log, *, one_core=True):
    """Runs `python -m oasis_tf.MODULE`; what it says goes into a file."""
    words = []
    for name, value in flags.items():
        words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    limits = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"} if one_core else {}
    with open(log, "a") as output:
        done = subprocess.run(
            [sys.executable, "-m", f"oasis_tf.{module}", *words],
            cwd=ROOT,
            env={**os.environ, **limits},
            stdout=output,
            stderr=output,
        )
    if done.returncode:
        last = log.read_text().strip().splitlines()[-1:] or ["nothing said"]
        raise ExperimentError(f"{module} must end well, see {log}. Received: {last[0]}")


if __name__ == "__main__":
    sys.exit(main())
