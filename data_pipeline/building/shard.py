"""Writing one TFRecord shard, and the sidecar file that says it is finished."""

import json
import os
from collections import Counter
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path

from data_pipeline.building.palettes import Palettes
from data_pipeline.errors import BuildFailed, DataError
from data_pipeline.files import publish, sha256, write_atomically

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
    prepared = iter(prepared)
    head = list(islice(prepared, 1))  # now the workers begin
    # TensorFlow takes seconds to import: not before bad input has been refused, and while the
    # workers are busy.
    import tensorflow as tf

    from data_pipeline.records.schema import serialize

    temporary = Path(f"{path}.tmp")
    pixels, out_of_range, files, written = Counter(), Counter(), [], 0
    palettes, turns, broken = Palettes(), Counter(), []
    try:
        with tf.io.TFRecordWriter(str(temporary)) as writer:
            for example in chain(head, prepared):
                if isinstance(example, DataError):
                    broken.append(str(example))
                    continue
                writer.write(serialize(example.image, example.label_map, example.name))
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
            os.path.getsize(temporary),
            sha256(temporary),
            dict(sorted(pixels.items())),
            dict(sorted(out_of_range.items())),
            files,
            palettes.to_json(),
            dict(turns),
            broken,
        )
        publish(temporary, path)
        write_atomically(sidecar(path), json.dumps(asdict(stats)))
    except (OSError, tf.errors.OpError) as error:
        raise BuildFailed(
            f"{path} could not be written. The finished shards are kept: run the same command "
            f"again. Received: {error}"
        ) from None
    return stats
