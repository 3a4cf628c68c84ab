"""The files that a build was made of, kept beside the shards to see whether they are the same."""

import json
import os
import tempfile
from pathlib import Path

from data_pipeline.errors import DataError, listing
from data_pipeline.files import write_atomically

FILE_NAME = "source.json"


def file_states(dataset):
    """The state of every file of a data set; contents are not read.

    Returns:
        {Path: [size, modification time in ns], or None where the file cannot be reached}, sorted.
    """
    paths = {path for items in dataset.items.values() for i in items for path in (i.image, i.label)}
    return {path: _state(path) for path in sorted(paths, key=str)}


def write_source_files(out, states, source):
    """Writes the name, size and time of every file of a source.

    Args:
        out: Path of the directory of the shards.
        states: `file_states` of the data set, from before it was built.
        source: Path of its directory.
    """
    write_atomically(Path(out) / FILE_NAME, json.dumps(_named(states, source)) + "\n")


def check_source_files(out, request, class_names):
    """Compares the source of a finished build with what it was.

    Contents are not read; size and modification time stand for them.

    Args:
        out: Path of the directory of the shards.
        request: resolved `plan.Request`.
        class_names: of the manifest.

    Returns:
        a word on why nothing was compared, or None. A source that is gone, with all of its files,
        is no reason to stop: it may be deleted once it is built.

    Raises:
        DataError: files are new, changed or missing, or the classes are others; lists them.
    """
    try:
        before = json.loads((out / FILE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "built before the files of a source were noted, which are not compared"
    if not any(os.path.exists(request.source / name) for name in before):
        return "its source is gone"
    differences = []
    try:
        with tempfile.TemporaryDirectory() as notes:
            dataset = request.open(Path(notes))
            now = _named(file_states(dataset), request.source)
        if tuple(dataset.class_names) != tuple(class_names):
            differences.append("other classes")
        differences += [f"new: {name}" for name in now if name not in before]
    except DataError as error:
        differences.append(f"it cannot be read now: {error}")
        now = {name: _state(request.source / name) for name in before}
    for name, state in before.items():
        if now.get(name) is None:
            differences.append(f"missing: {name}")
        elif now[name] != state:
            differences.append(f"changed: {name}")
    if differences:
        raise DataError(
            f"--source {request.source} must be as it was when {out} was built; delete {out}, or "
            f"choose another --out, to build it again. Received:\n{listing(differences)}"
        )
    return None


def _named(states, source):
    """The states by names: paths, relative where they lie in the source."""
    return {_name(path, source): state for path, state in states.items()}


def _name(path, source):
    path = Path(path)
    return str(path.relative_to(source) if path.is_relative_to(source) else path)


def _state(path):
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]
