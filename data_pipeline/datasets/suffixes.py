"""Endings of file names, such as `_mask`, that tell why no picture has a label map of its name."""

import shlex

_SEPARATORS = "_-. "
_TRIED = 100


def explain_by_suffixes(pairs, picture_suffix="", label_suffix=""):
    """Looks for one ending of all pictures and one of all label maps that make pairs of all.

    Args:
        pairs: list of (names of pictures, names of label maps), each {name: Path}.
        picture_suffix, label_suffix: endings that have been taken off already.

    Returns:
        list of str: one line with the flags to give, or nothing.
    """
    if not all(images and len(images) == len(maps) for images, maps in pairs):
        return []
    first = min(pairs[0][0])
    for picture_end, label_end in _candidates(first, pairs[0][1]):
        if all(_fit(images, picture_end, maps, label_end) for images, maps in pairs):
            flags = (
                ("--image_suffix", picture_end + picture_suffix),
                ("--label_suffix", label_end + label_suffix),
            )
            # "=", for a value that begins with "-" would be taken for a flag.
            given = " ".join(f"{flag}={shlex.quote(value)}" for flag, value in flags if value)
            return [f"All of them are pairs with {given}"]
    return []


def _candidates(name, labels):
    """Pairs of endings that make `name` the partner of one of the labels, likely ones first."""
    found = {}
    for label in sorted(labels):
        shared = _shared(name, label)
        # Not in the middle of a word: "_label" and "_leftImg8bit" share "_l".
        starts = [shared]
        ends = {name[shared : shared + 1], label[shared : shared + 1]}
        if not ends <= {*_SEPARATORS, ""}:
            starts.insert(0, max(name.rfind(mark, 0, shared) for mark in _SEPARATORS))
        for rank, start in enumerate(starts):
            if start > 0:
                found.setdefault((name[start:], label[start:]), (-shared, rank))
    return sorted(found, key=found.get)[:_TRIED]


def _shared(name, label):
    """How many characters two names begin with in common."""
    pairs = enumerate(zip(name, label, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(name), len(label)))


def _fit(images, picture_end, labels, label_end):
    if not all(name.endswith(picture_end) for name in images):
        return False
    if not all(name.endswith(label_end) for name in labels):
        return False
    bare = {name[: len(name) - len(picture_end)] for name in images}
    return bare == {name[: len(name) - len(label_end)] for name in labels}
