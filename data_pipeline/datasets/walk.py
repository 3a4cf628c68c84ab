"""The files of a directory tree, as every reader of people's own folders sees them."""

import os
from pathlib import Path

from data_pipeline.errors import DataError, listing


def walk(folder, without=()):
    """Yields the files below a directory, those of each directory in the order of their names.

    Links to directories are followed, but not back up, to a directory that the link lies below.
    Names that begin with a dot (`.ipynb_checkpoints`, macOS's `._` files) are left out, with all
    below.

    Args:
        folder: Path.
        without: Paths of directories to leave out.

    Yields:
        Path of each file, beginning with `folder`.

    Raises:
        DataError: a directory that cannot be listed, or, at the end, links that lead nowhere.
    """
    broken = []
    yield from _walk(folder, frozenset(map(os.path.realpath, without)), broken)
    if broken:
        raise DataError(
            f"links below {folder} must lead to files that can be reached (is a disk missing?). "
            f"Received: {len(broken)} that do not:\n{listing(broken)}"
        )


def _walk(folder, closed, broken):
    real = os.path.realpath(folder)
    if real in closed:  # to be left out, or a link back up
        return
    closed = closed | {real, *map(str, Path(real).parents)}
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"{folder} must be a readable directory. Received: {error}") from None
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(entry.path, closed, broken)
        elif entry.is_file():
            yield Path(entry.path)
        elif entry.is_symlink():
            broken.append(f"{entry.path} -> {os.readlink(entry.path)}")
