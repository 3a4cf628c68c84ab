"""Does every fault to a run and prints what came of it: `python -m tests.survival.matrix`.

Its table is in docs/survival.md. The faults of disks need the right to mount one: root.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from tests.survival.faults import FAULTS, Ended, Place
from tests.test_train import losses

HEAD = ["fault", "the command says", "exit code", "newest whole checkpoint then", "in the end"]


@dataclass(frozen=True)
class Result:
    """What a fault led to.

    Attributes:
        first: how the command ended that met the fault.
        kept: newest step whose checkpoint was whole then, or None.
        last: how the one ended that went on from there: `first` itself, or the same command again
            after a signal or once the cause was removed; None where that is not tried.
        same: all losses to the last step are, to the last bit, those of the run that nothing
            happened to.
    """

    first: Ended
    kept: int | None
    last: Ended | None
    same: bool


def inflict(fault, place, directory):
    """Copies a run to `directory`, spoils it and runs the command until it is through."""
    case = place.case(directory)
    first = fault.inflict(case)
    midway = isinstance(first, Ended)
    if not midway:
        first = case.run()
    kept, last = newest_whole(case.model_dir), None if fault.refused else first
    if fault.mend is not None:
        fault.mend(case)
    if fault.mend is not None or midway:
        last = case.run()
    return Result(first, kept, last, losses(case.model_dir) == losses(place.whole))


def newest_whole(model_dir):
    """The newest step of which every tensor can be read, or None."""
    steps = (int(p.stem.split("-")[1]) for p in (model_dir / "checkpoints").glob("step-*.index"))
    for step in sorted(steps, reverse=True):
        try:
            reader = tf.train.load_checkpoint(str(model_dir / "checkpoints" / f"step-{step}"))
            for name in reader.get_variable_to_shape_map():
                reader.get_tensor(name)
        except Exception:
            continue
        return step
    return None


@contextlib.contextmanager
def small_disk(directory):
    """A directory on a file system of its own in memory.

    Raises:
        PermissionError: this process must not mount.
    """
    Path(directory).mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(directory)],
        capture_output=True,
        text=True,
    )
    if mounted.returncode:
        raise PermissionError(mounted.stderr.strip())
    try:
        yield Path(directory)
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


def row(fault, result, directory):
    """Cells of the table, as in `HEAD`."""
    said = result.first.error.replace(f"{directory}/", "") or "nothing"
    end = "refused until it is mended"
    if result.last is not None:
        end = "identical losses" if result.same else "OTHER LOSSES"
        end += f" (exit code {result.last.code})" if result.last.code else ""
    if fault.mend is not None:
        end += ", once there is room"
    return [fault.name, said, str(result.first.code), str(result.kept), end]


def _meet(fault, place, directory):
    disk = small_disk(directory) if fault.disk else contextlib.nullcontext()
    try:
        with disk:
            result = inflict(fault, place, directory)
    except PermissionError as error:
        print(f"SKIPPED {fault.name}: {error}", file=sys.stderr, flush=True)
        return None
    line = row(fault, result, directory)
    print(" | ".join(line), file=sys.stderr, flush=True)
    return line


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.survival.matrix")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="faults at a time")
    jobs = parser.parse_args().jobs
    with tempfile.TemporaryDirectory() as root, ThreadPoolExecutor(jobs) as pool:
        place = Place(root)
        directories = [Path(root) / str(number) for number in range(len(FAULTS))]
        lines = pool.map(_meet, FAULTS, [place] * len(FAULTS), directories)
        lines = [HEAD, ["--"] * len(HEAD), *filter(None, lines)]
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))


if __name__ == "__main__":
    main()
