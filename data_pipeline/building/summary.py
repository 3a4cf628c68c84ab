"""The closing lines of a build."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from data_pipeline.datasets.orientation import BY_TAG, FITS, STORED
from data_pipeline.records.manifest import PREVIEW

_FREQUENT = 5
# Of fewer pictures the paper's settings make few updates in their epochs.
_SMALL = 5000


@dataclass(frozen=True)
class Findings:
    """What a build has met and the manifest does not hold.

    Attributes:
        out_of_range: {id as in the source: source pixels} that became unlabelled.
        turns: {what `upright` did: pictures}.
        missing: names of skipped pictures that do not exist.
        unpaired: descriptions of skipped files without partner.
        broken: messages on skipped examples.
        broken_annotations: descriptions of skipped annotations.
        left_out: directories with pictures of no split.
        doubt: what to be told where no pixel at all is unlabelled, or None.
    """

    out_of_range: dict[int, int]
    turns: dict[str, int]
    missing: tuple[str, ...] = ()
    unpaired: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    broken_annotations: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    doubt: str | None = None


def summarise(manifest, out, findings, *, gpu):
    """Sums a finished build up.

    Args:
        manifest: Manifest.
        out: its directory.
        findings: `Findings`.
        gpu: whether this machine has one.

    Returns:
        list of aligned lines.
    """
    splits = manifest.splits
    height, width = manifest.image_size
    toy = _why_toy(manifest, gpu)
    data_dir = shlex.quote(str(out))
    rows = [
        ("images", ", ".join(f"{split.examples} {name}" for name, split in splits.items())),
        *_left_out(findings),
        *_turned(findings.turns),
        ("stored as", ", ".join(f"{_size(split)} {name}" for name, split in splits.items())),
        ("classes", _classes(manifest)),
        (
            "unlabelled",
            ", ".join(f"{split.unlabelled_share:.1%} of {name}" for name, split in splits.items()),
        ),
        *_doubt(findings, splits),
        ("out of range", _out_of_range(findings.out_of_range)),
        ("on disk", _megabytes(splits)),
        ("written to", str(out)),
        ("look at", f"{Path(out) / PREVIEW}: do the labels lie where they belong?"),
        (
            "next",
            f"python -m oasis_tf.train --dataset {manifest.dataset} --data_dir {data_dir} "
            f"--model_dir runs/{manifest.dataset}{' --toy' if toy else ''}",
        ),
    ]
    if toy:
        rows.append(("", f"--toy, the small preset, because {toy}"))
    title = f"{manifest.dataset}: training sees {height}x{width}"
    return [title, *(f"  {key:<13} {value}" for key, value in rows)]


def _left_out(findings):
    kinds = (
        ("missing pictures", findings.missing),
        ("files without partner", findings.unpaired),
        ("broken examples", findings.broken),
        ("broken annotations", findings.broken_annotations),
    )
    rows = [
        ("skipped", f"{len(found)} {kind}, such as {found[0].splitlines()[0]}")
        for kind, found in kinds
        if found
    ]
    if findings.left_out:
        rows.append(("of no split", f"{', '.join(findings.left_out)}: left out"))
    return rows


def _doubt(findings, splits):
    unlabelled = any(split.pixels_per_class[0] for split in splits.values())
    return [("beware", findings.doubt)] if findings.doubt and not unlabelled else []


def _turned(turns):
    rows = []
    turned, by_tag, stored = (turns.get(kind, 0) for kind in (FITS, BY_TAG, STORED))
    if turned or by_tag:
        text = f"{_pictures(turned + by_tag)}, upright as the EXIF orientation says"
        if by_tag:
            text += (
                f"; of {by_tag} the size does not tell whether the labels are upright (--exif "
                "ignore if they are not)"
            )
        rows.append(("turned", text))
    if stored:
        rows.append(
            ("not turned", f"{_pictures(stored)} with an EXIF orientation, labelled as stored")
        )
    return rows


def _pictures(count):
    return "1 picture" if count == 1 else f"{count} pictures"


def _why_toy(manifest, gpu):
    """Why the small preset is the one to begin with, or None."""
    if not gpu:
        return "this machine has no GPU"
    examples = manifest.splits["train"].examples if "train" in manifest.splits else 0
    return f"the set has fewer than {_SMALL:,} pictures to train on" if examples < _SMALL else None


def _classes(manifest):
    totals = [sum(counts) for counts in zip(*_pixels(manifest), strict=True)]
    labelled = sorted(
        (i for i in range(1, manifest.num_classes) if totals[i]), key=lambda i: -totals[i]
    )
    everything = sum(totals)
    names = ", ".join(
        f"{manifest.class_names[i]} {totals[i] / everything:.1%}" for i in labelled[:_FREQUENT]
    )
    return f"{len(labelled)} of {manifest.num_classes - 1} present; most of {names or 'none'}"


def _pixels(manifest):
    return (split.pixels_per_class for split in manifest.splits.values())


def _size(split):
    return "{}x{}".format(*split.stored_size)


def _out_of_range(found):
    if not found:
        return "no ids"
    ids = ", ".join(str(label) for label in sorted(found)[:10])
    more = ", ..." if len(found) > 10 else ""
    return f"{sum(found.values())} pixels of ids {ids}{more}, made unlabelled"


def _megabytes(splits):
    shards = [shard for split in splits.values() for shard in split.shards]
    return f"{sum(shard.bytes for shard in shards) / 1e6:.1f} MB in {len(shards)} shards"
