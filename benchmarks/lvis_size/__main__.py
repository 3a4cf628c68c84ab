"""Measures a build of LVIS at its true size: memory, time to the first picture, speed, resuming.

    python -m benchmarks.lvis_size --work DIR                     # 1.3 GB of JSON, drawn once
    python -m benchmarks.lvis_size --work DIR --scale 0.1         # a tenth of it
    python -m benchmarks.lvis_size --work DIR --against CHECKOUT  # another version beside it

A build is stopped after a number of pictures and run again, which is timed until its first new
picture. Memory is the sum over all of its processes of their proportional share (PSS), the largest
of several looks a second.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.lvis_size.draw import draw_source
from benchmarks.machine import describe
from data_pipeline.paths import PathAction

ROOT = Path(__file__).parents[2]
_DONE = re.compile(rb"(\d+)/\d+ \[")  # of the progress bar


def parse_arguments(argv=None):
    """Parses the command line into an `argparse.Namespace`."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.lvis_size",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--work", action=PathAction, required=True, help="for the drawn source, which is kept")
    add("--scale", type=float, default=1.0, help="share of LVIS's size; default: %(default)s")
    add("--pictures", type=int, default=3000, help="to build before the stop; default: %(default)s")
    add(
        "--against", action=PathAction, help="checkout of another version, measured beside this one"
    )
    add("--out", action=PathAction, help="JSON file for the results")
    return parser.parse_args(argv)


def main(argv=None):
    """Measures, prints, and writes the results; returns the exit code."""
    arguments = parse_arguments(argv)
    source = arguments.work / f"source_{arguments.scale:g}"
    draw_source(source, arguments.scale)
    versions = {"here": ROOT}
    if arguments.against is not None:
        versions["there"] = arguments.against.resolve()
    content = {"machine": describe(), "scale": arguments.scale, "builds": {}}
    for name, checkout in versions.items():
        content["builds"][name] = measured = measure(checkout, source, arguments.pictures)
        for key, value in measured.items():
            print(f"{name:<6} {key:<28} {value:.6g}", flush=True)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(content, indent=1) + "\n")
    return 0


def measure(checkout, source, pictures):
    """Builds in part, and again.

    Args:
        checkout: Path of the version to run.
        source: Path of the drawn source.
        pictures: how many to build before the stop.

    Returns:
        dict of floats: `first_picture_s`, `pictures_per_s` from there on, `peak_mib`,
        `resumed_s`, `bytes_per_picture`.
    """
    with tempfile.TemporaryDirectory(dir=source.parent) as work:
        out = Path(work) / "records"
        first = _Build(checkout, source, out, pictures)
        again = _Build(checkout, source, out, 1)
        shards = [path for path in out.glob("*.tfrecord") if Path(f"{path}.json").exists()]
        examples = sum(json.loads(Path(f"{p}.json").read_text())["examples"] for p in shards)
        return {
            "first_picture_s": first.first_s,
            "pictures_per_s": first.speed,
            "peak_mib": max(first.peak_mib, again.peak_mib),
            "resumed_s": again.first_s,
            "bytes_per_picture": sum(path.stat().st_size for path in shards) / max(examples, 1),
        }


class _Build:
    """One run of the command, stopped after it has prepared `pictures` more.

    Attributes:
        first_s: seconds from the start of the process to the first picture.
        speed: pictures a second after that one.
        peak_mib: of memory.
    """

    def __init__(self, checkout, source, out, pictures):
        command = [sys.executable, "-m", "data_pipeline.build", "--dataset", "lvis"]
        command += ["--split", "train", "--source", str(source), "--out", str(out)]
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout), "TQDM_MININTERVAL": "0.05"},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.peak_mib, self.first_s, self.speed = 0.0, float("nan"), float("nan")
        watch = threading.Thread(target=self._watch, args=(process,), daemon=True)
        watch.start()
        begun_with, text = None, b""
        try:
            while piece := os.read(process.stderr.fileno(), 65536):
                text = (text + piece)[-4096:]
                counts = _DONE.findall(text)
                if not counts:
                    continue
                now, done = time.perf_counter() - start, int(counts[-1])
                if begun_with is None:
                    begun_with = done
                elif done > begun_with and self.first_s != self.first_s:
                    self.first_s, first = now, done
                elif self.first_s == self.first_s and done > first:
                    self.speed = (done - first) / (now - self.first_s)
                # A busy machine may tell of all of them at once: a speed takes two looks.
                if done - begun_with >= pictures and (pictures == 1 or self.speed > 0):
                    break
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait()
            watch.join()
        if self.first_s != self.first_s:
            raise RuntimeError(f"the build made no picture: {text.decode(errors='replace')}")

    def _watch(self, process):
        while process.poll() is None:
            self.peak_mib = max(self.peak_mib, _group_mib(process.pid))
            time.sleep(0.2)


def _group_mib(group):
    """Memory of all processes of a group, in MiB."""
    total = 0
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(path.name)) == group:
                text = (path / "smaps_rollup").read_text()
                total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])
        # It has ended, or just begins.
        except (OSError, TypeError):
            continue
    return total / 1024


if __name__ == "__main__":
    sys.exit(main())
