"""Time and peak memory of evaluating 1,000 pictures, in a process of its own.

python docs/measure_evaluation.py --model runs/sample --work DIR [evaluate's other arguments]

Draws a sample data set with that many validation pictures first.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main(argv=None):
    """Builds the data, evaluates, prints one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, type=Path)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--image_size", type=int, nargs=2, default=(64, 64))
    arguments, others = parser.parse_known_args(argv)
    source, data = arguments.work / "source", arguments.work / "data"
    size = map(str, arguments.image_size)
    count = str(arguments.images)
    _run("data_pipeline.sample", "--out", str(source), "--images", "600", "--val_images", count)
    _run(
        *("data_pipeline.build", "--dataset", "lvis", "--source", str(source)),
        *("--out", str(data), "--image_size", *size),
    )
    # What children have used so far is in the peak; a data set takes less than TensorFlow.
    start = time.monotonic()
    _run(
        *("oasis_tf.evaluate", "--model", str(arguments.model), "--data_dir", str(data)),
        *("--cache_dir", str(arguments.work / f"cache_{time.time():.0f}"), *others),
    )
    seconds = time.monotonic() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"{arguments.images} pictures: {seconds:.0f} s, peak memory {peak:.1f} GiB")
    return 0


def _run(*words):
    subprocess.run([sys.executable, "-m", *words], check=True, cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main())
