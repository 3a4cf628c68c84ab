"""The closing lines of a build."""

_FREQUENT = 5
# Of fewer pictures the paper's settings make few updates in their epochs.
_SMALL = 5000


def summarise(manifest, out, out_of_range, missing, *, gpu):
    """Sums a finished build up.

    Args:
        manifest: Manifest.
        out: its directory.
        out_of_range: {id as in the source: source pixels} that became unlabelled.
        missing: names of skipped pictures.
        gpu: whether this machine has one.

    Returns:
        list of aligned lines.
    """
    splits = manifest.splits
    height, width = manifest.image_size
    toy = _why_toy(manifest, gpu)
    rows = [
        ("images", ", ".join(f"{split.examples} {name}" for name, split in splits.items())),
        ("stored as", ", ".join(f"{_size(split)} {name}" for name, split in splits.items())),
        ("classes", _classes(manifest)),
        (
            "unlabelled",
            ", ".join(f"{split.unlabelled_share:.1%} of {name}" for name, split in splits.items()),
        ),
        ("out of range", _out_of_range(out_of_range)),
        ("on disk", _megabytes(splits)),
        ("written to", str(out)),
        (
            "next",
            f"python -m oasis_tf.train --dataset {manifest.dataset} --data_dir {out} "
            f"--model_dir runs/{manifest.dataset}{' --toy' if toy else ''}",
        ),
    ]
    if toy:
        rows.append(("", f"--toy, the small preset, because {toy}"))
    if missing:
        rows.insert(1, ("skipped", f"{len(missing)} missing pictures, such as {missing[0]}"))
    title = f"{manifest.dataset}: training sees {height}x{width}"
    return [title, *(f"  {key:<13} {value}" for key, value in rows)]


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
