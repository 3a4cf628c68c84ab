"""The records that are measured on unless others are given: the project's own sample set."""

from pathlib import Path

from data_pipeline.building.builder import build
from data_pipeline.building.plan import Request
from data_pipeline.sample import draw_sample

ROOT = Path(__file__).parents[1] / "data" / "benchmarks"
# Larger than the 286x286 that is stored, as real photographs are: enlarged label maps would have
# fewer distinct patches than real ones.
DRAWN = dict(images=200, val_images=8, size=(288, 384))


def sample_records(size, root=ROOT):
    """Draws the sample set and builds its records at size x size, unless they are there.

    Args:
        size: height and width that training sees, a multiple of 64.
        root: directory for both. Defaults to one in the git-ignored `data/`.

    Returns:
        Path of the records.

    Raises:
        DataError: `root` holds something else.
        BuildFailed: the disk is full, or a worker died.
    """
    source, records = root / "sample", root / f"sample_{size}"
    draw_sample(source, **DRAWN)
    command = f"--dataset sample --source {source} --out {records} --image_size {size} {size}"
    request = Request("sample", source, image_size=(size, size))
    build(request, records, command=f"python -m data_pipeline.build {command}")
    return records
