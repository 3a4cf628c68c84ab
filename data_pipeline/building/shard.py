"""Writing one TFRecord shard, and the sidecar file that says it is finished."""

import hashlib
import json
import os
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from data_pipeline.building.palettes import Palettes
from data_pipeline.errors import BuildFailed, DataError
from data_pipeline.files import publish, write_atomically
from data_pipeline.records.example import serialize
from data_pipeline.records.framing import framed

_FILES_NAMED = 10


@dataclass(frozen=True)
class ShardStats:
    """What a sidecar holds.

    Attributes:
        plan: hash of the build's plan, see `plan.py`.
        examples, bytes, sha256: as in `manifest.Shard`.
        pixels: {class id: stored pixels}.
        out_of_range: {id as in the source: source pixels}.
        out_of_range_files: the first label files that hold such ids.
        palettes: `Palettes` of the label files, as its `to_json` gives them.
        turns: {what `upright` did: pictures}.
        broken: messages on the examples that were left out.
    """

    plan: str
    examples: int
    bytes: int
    sha256: str
    pixels: dict[int, int]
    out_of_range: dict[int, int]
    out_of_range_files: list[str]
    palettes: dict
    turns: dict[str, int]
    broken: list[str]


def sidecar(path):
    """The file beside a shard that appears when the shard is finished."""
    return Path(f"{path}.json")


def read_stats(path, plan):
    """Returns the ShardStats of a finished shard of this plan, or None."""
    try:
        content = json.loads(sidecar(path).read_text(encoding="utf-8"))
        for key in ("pixels", "out_of_range"):
            content[key] = {int(label): count for label, count in content[key].items()}
        stats = ShardStats(**content)
        finished = stats.plan == plan and os.path.getsize(path) == stats.bytes
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return stats if finished else None


def write_shard(path, prepared, examples, plan, *, skip_broken=False):
    """Writes a shard under a temporary name, then publishes it and its sidecar.

    Args:
        path: Path of the shard.
        prepared: iterable of Prepared, or the DataError of those that cannot be used.
        examples: number expected. When fewer can be used, nothing is published.
        plan: hash of the build's plan.
        skip_broken: publish what can be used.

    Returns:
        ShardStats, or None if nothing was published.

    Raises:
        BuildFailed: the disk does not take it.
    """
    temporary = Path(f"{path}.tmp")
    digest, size = hashlib.sha256(), 0
    pixels, out_of_range, files, written = Counter(), Counter(), [], 0
    palettes, turns, broken = Palettes(), Counter(), []
    try:
        with open(temporary, "wb") as file:
            for example in prepared:
                if isinstance(example, DataError):
                    broken.append(str(example))
                    continue
                record = framed(serialize(example.image, example.label_map, example.name))
                file.write(record)
                digest.update(record)
                size += len(record)
                written += 1
                pixels.update(example.pixels)
                out_of_range.update(example.out_of_range)
                palettes.add(example.palette, example.label)
                turns.update([example.turn] if example.turn else [])
                if example.out_of_range and len(files) < _FILES_NAMED:
                    files.append(example.label)
        if written != examples and not skip_broken:
            temporary.unlink()
            return None
        stats = ShardStats(
            plan,
            written,
            size,
            digest.hexdigest(),
            dict(sorted(pixels.items())),
            dict(sorted(out_of_range.items())),
            files,
            palettes.to_json(),
            dict(turns),
            broken,
        )
        publish(temporary, path)
        write_atomically(sidecar(path), json.dumps(asdict(stats)))
    except OSError as error:
        raise BuildFailed(
            f"{path} could not be written. The finished shards are kept: run the same command "
            f"again. Received: {error}"
        ) from None
    return stats
