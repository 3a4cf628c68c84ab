"""Time and peak memory of an evaluation, in a process of its own.

python -m experiments.measure_evaluation --model runs/sample --work DIR [evaluate's other arguments]

Draws a sample data set with that many validation pictures first, unless it is there.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main(argv=None):
    """Builds the data, evaluates, prints one line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, type=lambda text: Path(text).resolve())
    parser.add_argument("--work", required=True, type=lambda text: Path(text).resolve())
    parser.add_argument("--images", type=int, default=1000, help="default: %(default)s")
    parser.add_argument("--max_images", type=int, metavar="N", help="how many are evaluated")
    parser.add_argument("--image_size", type=int, nargs=2, default=(64, 64), metavar=("H", "W"))
    arguments, others = parser.parse_known_args(argv)
    height, width = arguments.image_size
    evaluated = arguments.max_images or arguments.images
    source = arguments.work / f"source_{arguments.images}"
    data = arguments.work / f"data_{arguments.images}_{height}x{width}"
    if not (data / "manifest.json").exists():
        count = str(arguments.images)
        _run("data_pipeline.sample", "--out", source, "--images", "8", "--val_images", count)
        _run(
            *("data_pipeline.build", "--dataset", "sample", "--source", source),
            *("--out", data, "--image_size", height, width),
        )
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    _run(
        *("oasis_tf.evaluate", "--model", arguments.model, "--data_dir", data),
        *("--max_images", evaluated),
        *("--cache_dir", arguments.work / f"cache_{time.time():.0f}", *others),
    )
    seconds, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # The children before are in the peak too; building records takes less than TensorFlow.
    peak = after.ru_maxrss / 2**20
    print(
        f"{evaluated} pictures of {height}x{width} on {os.cpu_count()} CPU cores: "
        f"{seconds:.0f} s ({busy:.0f} s of processor time), peak memory {peak:.2f} GiB"
    )
    return 0


def _run(module, *words):
    subprocess.run([sys.executable, "-m", module, *map(str, words)], check=True, cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
