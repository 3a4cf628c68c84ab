"""Start: from the command `python -m oasis_tf.train --toy` to the end of its first step.

Watched from outside as a user sees it: the clock is read when a line comes out of the process.
The line `step 1/...` appears when the first step's losses have been read back (`--log_every 1`);
then the process is killed. Always on the sample set at 64x64, as in `make train`.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.measure import say
from benchmarks.records import sample_records
from benchmarks.rows import row

SECONDS = 25
ROOT = Path(__file__).parents[2]
# What the process prints, and what is over by then.
PHASES = (("sample:", "imports"), ("generator ", "networks"), ("step 1/", "first step"))


def run(options):
    """Measures; returns rows."""
    records = sample_records(64)
    starts = []
    for number in range(1, options.repeats + 1):
        starts.append(_start(records))
        phases = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in starts[-1].items())
        say(f"round {number}/{options.repeats}  {phases}")
    totals = [sum(start.values()) for start in starts]
    phases = {name: (median(start[name] for start in starts), "s") for _, name in PHASES}
    what = "from the command to the end of the first step"
    return [row(what, median(totals), "s", phases, at_most=SECONDS, samples=totals)]


def _start(records):
    """One start: dict from phases to seconds."""
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "oasis_tf.train", "--dataset", "sample", "--toy"]
        command += ["--data_dir", str(records), "--model_dir", f"{directory}/run"]
        begin = time.perf_counter()
        with subprocess.Popen(
            [*command, "--log_every", "1"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                return _watch(process, begin)
            finally:
                process.kill()


def _watch(process, begin):
    phases, waiting, lines = {}, list(PHASES), []
    for line in process.stderr:
        lines.append(line)
        if line.startswith(waiting[0][0]):
            now = time.perf_counter()
            phases[waiting.pop(0)[1]] = now - begin
            begin = now
        if not waiting:
            return phases
    raise RuntimeError(f"python -m oasis_tf.train ended before its first step:\n{''.join(lines)}")
