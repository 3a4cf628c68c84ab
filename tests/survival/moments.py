"""Stops a training at random moments, in the ways that people and clusters do."""

import collections
import signal
import time
from pathlib import Path

from tests.test_train import assert_same_run, events, losses

# How long a process may take to end, on a machine that does other things too. A cluster kills
# after 30 seconds.
GRACE = 25


def close_pipes(process):
    """As `| tee log` and `| head` do when they end."""
    process.stdout.close()
    process.stderr.close()


# Name: (before the signal, the signal).
WAYS = {
    "SIGTERM": (None, signal.SIGTERM),
    "SIGUSR1": (None, signal.SIGUSR1),
    "Ctrl-C": (None, signal.SIGINT),
    "tee and Ctrl-C": (close_pipes, signal.SIGINT),
    "pipes closed": (close_pipes, None),
}


def stop_at(process, moment, way):
    """Lets a process run for so many seconds and stops it; what it did, in words.

    Raises:
        AssertionError: it ended with another exit code, too late, or with a traceback.
    """
    time.sleep(max(0, moment))
    before, number = WAYS[way]
    told = f"{way} after {moment:.1f} s"
    if process.poll() is None:
        if before is not None:
            before(process)
        begin = time.monotonic()
        if number is not None:
            process.send_signal(number)
        process.wait(timeout=None if number is None else GRACE)
        told += f", ended in {time.monotonic() - begin:.1f} s"
    err = "" if process.stderr.closed else process.stderr.read()
    process.stderr.close()
    process.stdout.close()
    # Or it was done by then, or still importing, where Python's own handlers act.
    codes = {0} if number is None else {0, 128 + number, -number}
    early = process.returncode == -signal.SIGINT
    assert process.returncode in codes and (early or "Traceback" not in err), (told, err)
    return f"{told}, exit code {process.returncode}"


def stop_again_and_again(start, model_dir, moments, ways, rng, seconds):
    """Starts, stops and starts again until the run is done; how many stops are left over.

    Args:
        start: function of a directory that gives a `subprocess.Popen`, with pipes.
        model_dir: Path of the run.
        moments: how many stops at most.
        ways: names of `WAYS` to choose from.
        rng: `random.Random`.
        seconds: that an undisturbed run takes.
    """
    while moments:
        moments -= 1
        told = stop_at(start(model_dir), rng.uniform(0, seconds), rng.choice(ways))
        print(told, flush=True)
        # Nothing was lost.
        assert max(losses(model_dir), default=0) <= newest(model_dir), told
        if told.endswith("exit code 0"):
            return moments
    process = start(model_dir)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    return 0


def newest(model_dir):
    """Step of the newest checkpoint, or 0."""
    found = (model_dir / "checkpoints").glob("step-*.index")
    return max((int(path.stem.split("-")[1]) for path in found), default=0)


def assert_nothing_happened(model_dir, expected_dir):
    """The run is, in all that it leaves, the one that nothing happened to."""
    assert_same_run(model_dir, expected_dir)
    prefixes = ("score/", "metrics/", "discriminator/")
    assert losses(model_dir, prefixes, "val") == losses(expected_dir, prefixes, "val")
    for name in ("pictures", "best", "checkpoints"):
        there, here = ({p.name for p in (d / name).iterdir()} for d in (expected_dir, model_dir))
        # A kill may come before the one that it replaces is deleted, which the next save does.
        assert there <= here, name
    for path in (model_dir / "pictures").iterdir():
        assert path.read_bytes() == (expected_dir / "pictures" / path.name).read_bytes(), path
    assert points_twice(model_dir) == []


def points_twice(model_dir):
    """(directory, tag, step) of the points that TensorBoard would show more than once."""
    seen = collections.Counter()
    for path in Path(model_dir).glob("*/events*"):
        for event in events(path):
            seen.update((path.parent.name, v.tag, event.step) for v in event.summary.value)
    return [point for point, count in seen.items() if count > 1]
