"""Measures what training reads of as many records as LVIS has, and what evaluation costs on them.

    python -m benchmarks.lvis_size.reading --work DIR   # about ten minutes

Each figure is of a process of its own. Scoring all of LVIS's validation pictures takes a CPU hours:
a few are scored, and the time of one is multiplied. What is computed of all of them together at the
end is measured whole, on random numbers.
"""

import argparse
import json
import re
import sys
import time
from pathlib import Path
from statistics import median

from benchmarks.lvis_size.records import VAL_PICTURES, draw_records
from benchmarks.machine import describe
from benchmarks.measure import in_a_process
from data_pipeline.paths import PathAction

CLASSES = 1204
_BATCH = 32  # of the paper
_FEATURES = 2048  # of Inception
_PAIRS = 200  # of label and prediction, in a picture


def parse_arguments(argv=None):
    """Parses the command line into an `argparse.Namespace`."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.lvis_size.reading",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--work", action=PathAction, required=True, help="for the drawn records, which are kept")
    add("--scale", type=float, default=1.0, help="share of LVIS's size; default: %(default)s")
    add("--seconds", type=float, default=20.0, help="of reading; default: %(default)s")
    add("--repeats", type=int, default=3, help="rounds of reading; default: %(default)s")
    add("--pictures", type=int, default=6, help="to score; 0 = none; default: %(default)s")
    add("--channels", type=int, default=64, help="base channels; default: %(default)s, the paper's")
    add("--out", action=PathAction, help="JSON file for the results")
    return parser.parse_args(argv)


def main(argv=None):
    """Measures, prints, and writes the results; returns the exit code."""
    arguments = parse_arguments(argv)
    arguments.work.mkdir(parents=True, exist_ok=True)
    # A fiftieth of LVIS beside the whole: what size costs.
    sizes = {"a fiftieth": arguments.scale / 50, "whole": arguments.scale}
    records = {
        name: draw_records(arguments.work, f"records_{scale:g}", scale)
        for name, scale in sizes.items()
    }
    reading = {name: [] for name in sizes}
    for _ in range(arguments.repeats):
        for name, path in records.items():
            reading[name].append(in_a_process(read, path, arguments.seconds))
    content = {
        "machine": describe(),
        "scale": arguments.scale,
        "reading": {name: _medians(rounds) for name, rounds in reading.items()},
    }
    _print(content["reading"])
    if arguments.pictures:
        whole = records["whole"]
        pictures = round(VAL_PICTURES * arguments.scale)
        tasks = {
            "discriminator's score": (score, whole, arguments.pictures, arguments.channels),
            "colour and texture": (appearance, whole, pictures),
            "FID of features": (features, "fid", pictures),
            "KID of features": (features, "kid", pictures),
            "mIoU of counts": (confusion, pictures),
        }
        content["evaluation"] = {name: in_a_process(*task) for name, task in tasks.items()}
        _print(content["evaluation"])
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(content, indent=1) + "\n")
    return 0


def read(records, seconds):
    """Reads training batches: dict of floats.

    `first_batch_s` from the start of an epoch, `middle_batch_s` from within one, as when a run
    goes on, `next_epoch_s` the longest that a batch is waited for where one epoch ends;
    `images_per_s`; `memory_mib`, what the process has at most beyond TensorFlow and NumPy.
    """
    from data_pipeline.reading.reader import train_dataset
    from data_pipeline.records.manifest import Manifest

    examples = Manifest.read(records).splits["train"].examples
    before = _mib("VmRSS")

    def stream(start):
        return iter(train_dataset(records, batch_size=_BATCH, seed=0, start=start))

    def timed(batches):
        start = time.perf_counter()
        next(batches)
        return time.perf_counter() - start

    result = {
        "first_batch_s": timed(stream(0)),
        "middle_batch_s": timed(stream(examples // 3)),
    }
    batches = stream(examples - 4 * _BATCH)
    timed(batches)
    result["next_epoch_s"] = max(timed(batches) for _ in range(8))
    start, count = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - start) < seconds:
        next(batches)
        count += _BATCH
    return {**result, "images_per_s": count / elapsed, "memory_mib": _mib("VmHWM") - before}


def score(records, pictures, channels):
    """The discriminator's score, with networks of LVIS's classes: dict of floats."""
    from data_pipeline.reading.reader import eval_dataset
    from oasis_tf.models.discriminator import Discriminator
    from oasis_tf.models.generator import Generator
    from oasis_tf.training.score import DiscriminatorScore

    scored = DiscriminatorScore(
        Generator(CLASSES, base_channels=channels),
        Discriminator(CLASSES, base_channels=channels),
        seed=0,
    )
    batches = eval_dataset(records, batch_size=1)
    scored(batches.take(1))  # builds the graph
    start = time.perf_counter()
    scored(batches.take(pictures))
    return _cost(start, pictures, VAL_PICTURES)


def appearance(records, pictures):
    """What `--metrics colour,texture` measures of photographs: dict of floats."""
    from data_pipeline.records.manifest import Manifest
    from oasis_tf.evaluation.metrics.colour import Colour
    from oasis_tf.evaluation.pictures import chunks

    metric = Colour(None, Manifest.read(records))
    part, _ = metric.prepare({})
    chunk = next(chunks(records, "val", None))
    start = time.perf_counter()
    metric.measure(part, chunk)
    return _cost(start, len(chunk.names), pictures)


def features(metric, pictures):
    """FID or KID of so many pictures' features: dict of floats."""
    import numpy as np

    from oasis_tf.evaluation.metrics.registry import METRICS

    rng = np.random.default_rng(0)
    sides = [rng.standard_normal((pictures, _FEATURES), np.float32) for _ in range(2)]
    start = time.perf_counter()
    METRICS[metric]._compare(None, *sides)
    return _cost(start)


def confusion(pictures):
    """The confusion matrix of so many pictures, and its scores: dict of floats."""
    import numpy as np

    from oasis_tf.metrics.confusion import Confusion, segmentation_scores

    rng = np.random.default_rng(0)
    parts = [
        (rng.integers(0, CLASSES**2, _PAIRS), rng.integers(1, 999, _PAIRS)) for _ in range(pictures)
    ]
    start = time.perf_counter()
    matrix = Confusion(CLASSES)
    for keys, counts in parts:
        matrix.add(keys, counts)
    segmentation_scores(matrix.counts)
    return _cost(start)


def _cost(start, done=1, count=1):
    """Of `count` pictures, where `done` have taken the time since `start`."""
    seconds = (time.perf_counter() - start) / done * count
    return {"measured": done, "seconds": seconds, "peak_mib": _mib("VmHWM")}


def _mib(name):
    text = Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\s*(\d+) kB", text)[1]) / 1024


def _medians(rounds):
    return {key: median(each[key] for each in rounds) for key in rounds[0]}


def _print(rows):
    for name, measured in rows.items():
        for key, value in measured.items():
            print(f"{name:<22} {key:<16} {value:.6g}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
