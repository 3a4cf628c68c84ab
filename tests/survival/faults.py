"""What can go wrong with a run, and what must come of it."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.test_train import EAGER
from tests.toy_data import build_records

ROOT = Path(__file__).parents[2]
TINY = ["--toy", "--base_channels", "1", "--batch_size", "2", "--log_every", "1"]
TINY += ["--statistics_batches", "2"]
EVENTS = ["--evaluate_every", "4", "--pictures_every", "4", "--checkpoint_every", "2"]
# A fault meets a run that has done BEGUN steps; whole epochs, of three steps, are left then.
BEGUN, STEPS = 6, 12


class Place:
    """Records, a run of `BEGUN` steps and the same run at its end, to be copied and damaged.

    Args:
        root: an empty directory.
    """

    def __init__(self, root):
        self.root = Path(root)
        self.records = build_records(self.root / "data")
        self.begun, self.whole = self.root / "begun", self.root / "whole"
        for model_dir, steps in ((self.begun, BEGUN), (self.whole, STEPS)):
            ended = Case(self, model_dir, self.records).run(steps)
            assert ended.code == 0, ended.err

    def case(self, name):
        """A `Case` on copies, under `root`/name, which must not exist or be an empty directory."""
        directory = self.root / name
        shutil.copytree(self.begun, directory / "run")
        shutil.copytree(self.records, directory / "records")
        return Case(self, directory / "run", directory / "records")


@dataclass(frozen=True)
class Ended:
    """How the command ended: exit code and what it said."""

    code: int
    err: str

    @property
    def error(self):
        """Its line of error, else its first line of warning, or an empty string."""
        lines = self.err.splitlines()
        found = [line for line in lines if line.startswith("error: ")]
        found += [line for line in lines if line.startswith("warning: ")]
        return found[0] if found else ""


@dataclass(frozen=True)
class Case:
    """A copy of a run and its records that a fault may spoil."""

    place: Place
    model_dir: Path
    records: Path

    def start(self, steps=STEPS):
        """The training command in a process of its own."""
        arguments = ["--dataset", "folder", "--data_dir", str(self.records)]
        arguments += ["--model_dir", str(self.model_dir), *TINY, *EVENTS, "--steps", str(steps)]
        return subprocess.Popen(
            [sys.executable, "-c", EAGER, *arguments],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, steps=STEPS):
        """The command from its beginning to its `Ended`."""
        process = self.start(steps)
        try:
            err = process.communicate(timeout=600)[1]
        finally:
            process.kill()
        return Ended(process.returncode, err)

    def stop_after(self, path, number):
        """Runs until something of this pattern is in model_dir, and then sends the signal."""
        process = self.start()
        while process.poll() is None and not any(self.model_dir.glob(path)):
            time.sleep(0.001)
        process.send_signal(number)
        return Ended(process.wait(), process.communicate()[1])

    def checkpoint(self, step, part):
        """Path of a checkpoint's `index` or `data`."""
        (path,) = (self.model_dir / "checkpoints").glob(f"step-{step}.{part}*")
        return path

    @property
    def shard(self):
        """One of the training shards."""
        return min(self.records.glob("train*"))

    def remount(self, options):
        """Changes the small disk that `model_dir` is on."""
        mount = str(self.model_dir.parent)
        subprocess.run(["mount", "-o", f"remount,{options}", mount], check=True)

    def leave_room(self, mebibytes):
        """Shrinks the small disk to what lies on it and so much more."""
        used = shutil.disk_usage(self.model_dir).used
        self.remount(f"size={used + int(mebibytes * 2**20)}")


@dataclass(frozen=True)
class Fault:
    """A fault, and what the same command must do about it.

    Attributes:
        name: of the table.
        inflict: function of a `Case`; if it returns an `Ended`, the fault has met the command in
            the middle and is over.
        says: what the command's line of error or warning contains; None: it says none.
        refused: the command must end with code 2, instead of going on to the same losses.
        mend: function of a `Case` after which it must go on to the same losses all the same.
        disk: `model_dir` has to be on a disk of its own.
        kept: step of the newest checkpoint that must be whole after it, if the command is refused.
    """

    name: str
    inflict: Callable
    says: str | None = None
    refused: bool = False
    mend: Callable | None = None
    disk: bool = False
    kept: int | None = BEGUN


def cut_short(path):
    """Leaves the first third of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 3])


def flip_byte(path):
    """Changes one byte in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _cut_all_checkpoints(case):
    for path in (case.model_dir / "checkpoints").glob("*.index"):
        cut_short(path)


FAULTS = (
    Fault(
        "SIGKILL while a checkpoint is written",
        lambda case: case.stop_after("checkpoints/step-8*", signal.SIGKILL),
    ),
    Fault(
        "SIGTERM between two checkpoints",
        lambda case: case.stop_after("checkpoints/step-8.index", signal.SIGTERM),
    ),
    Fault(
        "disk full when a checkpoint is due",
        lambda case: case.leave_room(3),
        "No space left on device",
        refused=True,
        mend=lambda case: case.remount("size=200m"),
        disk=True,
    ),
    Fault(
        "disk full from the beginning",
        lambda case: case.leave_room(0),
        "No space left on device",
        refused=True,
        disk=True,
    ),
    Fault(
        "model_dir read-only",
        lambda case: case.remount("ro"),
        "must be a writable directory",
        refused=True,
        disk=True,
    ),
    Fault(
        "newest checkpoint's data cut short",
        lambda case: cut_short(case.checkpoint(BEGUN, "data")),
        "step-6 is damaged",
    ),
    Fault(
        "newest checkpoint's data with a flipped byte",
        lambda case: flip_byte(case.checkpoint(BEGUN, "data")),
        "step-6 is damaged",
    ),
    Fault(
        "newest checkpoint's index cut short",
        lambda case: cut_short(case.checkpoint(BEGUN, "index")),
        "step-6 is damaged",
    ),
    Fault(
        "newest checkpoint's data deleted",
        lambda case: case.checkpoint(BEGUN, "data").unlink(),
        "step-6 is damaged",
    ),
    Fault(
        "file `checkpoint` cut short",
        lambda case: cut_short(case.model_dir / "checkpoints" / "checkpoint"),
    ),
    Fault(
        "file `checkpoint` deleted",
        lambda case: (case.model_dir / "checkpoints" / "checkpoint").unlink(),
    ),
    Fault(
        "all checkpoints cut short",
        _cut_all_checkpoints,
        "step-6 must be whole",
        refused=True,
        kept=None,
    ),
    Fault(
        "config.json cut short",
        lambda case: cut_short(case.model_dir / "config.json"),
        "config.json: not the configuration of a run",
        refused=True,
    ),
    Fault("shard deleted", lambda case: case.shard.unlink(), "must exist", refused=True),
    Fault("shard cut short", lambda case: cut_short(case.shard), "truncated", refused=True),
    Fault(
        "flipped byte in a record",
        lambda case: flip_byte(case.shard),
        "damaged train-00000",
        refused=True,
    ),
    Fault(
        "manifest.json cut short",
        lambda case: cut_short(case.records / "manifest.json"),
        "manifest.json must be a readable JSON file",
        refused=True,
    ),
)
