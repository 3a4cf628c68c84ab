"""Serving: requests per second and their times on loopback, with and without joining them.

One picture a request, PNG in and out, from 1, 4 and 16 clients that ask again as soon as they are
answered, in threads of this process, which shares the cores with the server. Both servers run all
the time and are asked in turns. The toy networks at 64x64 tell what a request costs beside the
network, those of the paper at 256x256 what they cost in earnest.
"""

import contextlib
import itertools
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

import keras
import numpy as np

from benchmarks import labels
from benchmarks.measure import say
from benchmarks.records import sample_records
from benchmarks.rows import row
from data_pipeline.labels.legend import Legend
from data_pipeline.records.manifest import Manifest
from data_pipeline.records.png import encode_label_map
from oasis_tf.config import Config
from oasis_tf.models.generator import Generator
from oasis_tf.serving.client import Client, ServingError
from oasis_tf.serving.exporting.export_model import export_model
from oasis_tf.serving.exporting.model_info import ModelInfo

JOINED, ALONE = "joined", "alone"
FLAGS = {JOINED: (), ALONE: ("--max_batch_size", "1")}
CLIENTS = (1, 4, 16)
AT_LEAST = 1.3
MEMORY_REQUESTS, MEMORY_AT_MOST = 500, 1.05
ROOT = Path(__file__).parents[2]


class _Load(NamedTuple):
    """How one network is asked: at most so many requests and seconds a round, and rounds."""

    name: str
    widths: dict
    size: int
    requests: int
    seconds: float
    rounds: int


class _Answers(NamedTuple):
    """One round: requests per second, seconds of each request, failed requests."""

    rate: float
    times: list
    failed: int


def run(options):
    """Measures; returns rows."""
    toy = dict(base_channels=8, noise_channels=64, hidden=32)
    loads = [_Load("toy network 64x64", toy, 64, 200, 10.0, options.repeats)]
    if not options.quick:
        rounds = min(options.repeats, 2)
        loads.append(_Load("paper's network 256x256", options.widths, 256, 32, 10.0, rounds))
    rows = []
    for load in loads:
        records = sample_records(load.size)
        legend = Legend.of(Manifest.read(records))
        maps = [b["label_map"][0].numpy() for b in labels.recorded(records, 8)]
        with tempfile.TemporaryDirectory() as directory:
            _export(load, legend, Path(directory) / "model")
            rows += _measure(load, maps, Path(directory))
    return rows


def _export(load, legend, directory):
    keras.utils.set_random_seed(0)
    # A gain of 1 gives pictures with contrast, which are as large as files as real ones.
    generator = Generator(legend.num_classes, gain=1.0, **load.widths)
    config = Config(
        "sample",
        image_size=(load.size, load.size),
        generator_channels=load.widths["base_channels"],
        noise_channels=load.widths["noise_channels"],
        spade_channels=load.widths["hidden"],
    )
    export_model(generator, ModelInfo(legend, config), directory)


def _measure(load, maps, directory):
    files = [encode_label_map(label_map) for label_map in maps]
    found = {key: [] for key in itertools.product(CLIENTS, FLAGS)}
    with contextlib.ExitStack() as stack:
        servers = {
            side: stack.enter_context(_serving(directory / "model", flags))
            for side, flags in FLAGS.items()
        }
        for url, _ in servers.values():
            _ask(url, files, clients=CLIENTS[-1], requests=load.requests, seconds=load.seconds)
        for number in range(1, load.rounds + 1):
            for clients, side in found:
                answers = _ask(servers[side][0], files, clients, load.requests, load.seconds)
                found[clients, side].append(answers)
                say(
                    f"round {number}/{load.rounds}  {load.name}, {clients} clients, {side}  "
                    f"{answers.rate:.1f}/s"
                )
        rows = [_comparison(load, clients, found) for clients in CLIENTS]
        rows += [_times(load, clients, found) for clients in CLIENTS]
        failed = sum(a.failed for rounds in found.values() for a in rounds)
        asked = sum(len(a.times) for rounds in found.values() for a in rounds)
        sides = {"requests": (asked, "")}
        rows.append(row(f"{load.name}, failed requests", failed, "", sides, at_most=0))
        if load.size == 64:
            rows.append(_memory(load, *servers[JOINED], files))
        return rows


def _comparison(load, clients, found):
    rates = {side: median(a.rate for a in found[clients, side]) for side in FLAGS}
    return row(
        f"{load.name}, {clients} clients",
        rates[JOINED] / rates[ALONE],
        "x the requests",
        {side: (rate, "/s") for side, rate in rates.items()},
        # Large pictures fill the cores one at a time: there is little to win, and no target.
        at_least=AT_LEAST if clients == CLIENTS[-1] and load.size == 64 else None,
        samples={side: [a.rate for a in found[clients, side]] for side in FLAGS},
    )


def _times(load, clients, found):
    sides = {}
    for side in FLAGS:
        times = np.concatenate([a.times for a in found[clients, side]])
        for percent in (50, 95, 99):
            sides[f"{side} p{percent}"] = (1000 * float(np.percentile(times, percent)), "ms")
    figure = sides[f"{JOINED} p99"][0]
    return row(f"{load.name}, {clients} clients, times", figure, "ms at p99", sides)


def _memory(load, url, process, files):
    """Resident memory of a server before and after many requests."""
    before = _resident(process)
    _ask(url, files, clients=4, requests=MEMORY_REQUESTS, seconds=120)
    after = _resident(process)
    return row(
        f"{load.name}, memory after {MEMORY_REQUESTS} requests more",
        after / before,
        "x the memory",
        {"before": (before, "GB"), "after": (after, "GB")},
        at_most=MEMORY_AT_MOST,
    )


def _ask(url, files, clients, requests, seconds):
    """One round of load: `_Answers`."""
    numbers, times, failed = itertools.count(), [], []
    end = time.perf_counter() + seconds

    def client():
        connection = Client(url, "model", timeout=120)
        while (number := next(numbers)) < requests and time.perf_counter() < end:
            begin = time.perf_counter()
            inputs = {"label_map_bytes": [files[number % len(files)]], "seed": [number]}
            try:
                connection.predict(inputs, signature="synthesize_png")
            except (ServingError, OSError) as error:
                failed.append(error)
            times.append(time.perf_counter() - begin)
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _Answers(len(times) / (time.perf_counter() - begin), times, len(failed))


@contextlib.contextmanager
def _serving(base_path, flags):
    """A server in a process of its own: yields its URL and the process."""
    command = [sys.executable, "-m", "oasis_tf.serve", "--model_base_path", str(base_path)]
    with subprocess.Popen(
        # On a slow machine sixteen large pictures take their time.
        [*command, "--port", "0", "--timeout", "120", *flags],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            line = process.stdout.readline()
            if "http://" not in line:
                raise RuntimeError("python -m oasis_tf.serve did not start")
            url = line.split()[-1].rstrip("/")
            Client(url, "model").wait_until_available(120)
            yield url, process
        finally:
            process.terminate()


def _resident(process):
    """Resident memory in GB."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    (line,) = (line for line in text.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024 / 1e9
