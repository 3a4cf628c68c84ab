"""Records as many as LVIS's, of which a fiftieth is built and linked again and again."""

import dataclasses
import os
from pathlib import Path

from benchmarks.lvis_size.draw import PICTURES, draw_source
from data_pipeline.building.builder import build
from data_pipeline.building.plan import Request
from data_pipeline.records.manifest import Manifest, Split

VAL_PICTURES = 19_809
_BUILT = 0.02  # of LVIS


def draw_records(work, name, scale=1.0):
    """Makes records of LVIS's size, unless they are there.

    Args:
        work: Path of a directory; the drawn source is kept there.
        name: of the records in it.
        scale: share of LVIS's pictures.

    Returns:
        Path of the records, whose splits have so many pictures as LVIS's, or up to one shard more.
        Validation pictures are stored as large as training pictures, and cut by whoever reads them.
    """
    source, part, out = work / f"source_{_BUILT}", work / f"built_{_BUILT}", work / name
    draw_source(source, _BUILT)
    build(Request("lvis", source, splits=("train",)), part)
    manifest = Manifest.read(part)
    out.mkdir(exist_ok=True)
    splits = {}
    for split, count in (("train", PICTURES), ("val", VAL_PICTURES)):
        splits[split] = _link(manifest.splits["train"], part, out, split, count * scale)
    dataclasses.replace(manifest, splits=splits).write(out)
    return out


def _link(built, part, out, split, count):
    shards = []
    while sum(shard.examples for shard in shards) < count:
        shard = built.shards[len(shards) % len(built.shards)]
        name = f"{split}-{len(shards):05d}.tfrecord"
        if not Path(out, name).exists():
            os.link(part / shard.name, out / name)
        shards.append(dataclasses.replace(shard, name=name))
    return Split(
        examples=sum(shard.examples for shard in shards),
        stored_size=built.stored_size,
        unlabelled_share=built.unlabelled_share,
        pixels_per_class=built.pixels_per_class,
        out_of_range=0,
        shards=tuple(shards),
    )
