"""The output directory: one build at a time, never mixed with anything else."""

import contextlib
import json
import re
import sys

from data_pipeline.building.source_files import FILE_NAME as SOURCE_FILES
from data_pipeline.errors import DataError, listing
from data_pipeline.files import write_atomically
from data_pipeline.locking import LOCK, locked
from data_pipeline.records.manifest import FILE_NAME as MANIFEST
from data_pipeline.records.manifest import PREVIEW

_BEGUN = "build.json"  # there from the first moment of a build to its end
# May be there before it: what readers note down (`AnnotationIndex`), and what a kill left.
_NOTES = re.compile(r"\.(train|val)\.index\.npz(\.tmp)?|build\.json\.tmp")
_OURS = re.compile(
    r"(train|val)-\d{5}-of-\d{5}\.tfrecord(\.json)?(\.tmp)?|build\.json"
    rf"|{re.escape(PREVIEW)}(\.tmp)?|{re.escape(SOURCE_FILES)}(\.tmp)?|{re.escape(MANIFEST)}\.tmp"
    rf"|{_NOTES.pattern}"
)


@contextlib.contextmanager
def claimed(out):
    """Makes `out` if need be and holds it for this process.

    When the body raises DataError, directories made here are removed again if they are empty.

    Raises:
        DataError: `out` cannot be a directory, or another build holds it.
    """
    made = [path for path in (out, *out.parents) if not path.exists()]
    with contextlib.ExitStack() as stack:
        try:
            out.mkdir(parents=True, exist_ok=True)
            note = stack.enter_context(locked(out))
        except BlockingIOError:
            raise DataError(f"--out must not be in use by another build. Received: {out}") from None
        except OSError as error:
            raise DataError(
                f"--out must be a directory that can be written. Received: {error}"
            ) from None
        if note:
            print(f"note: {note}", file=sys.stderr)
        try:
            yield
        except DataError:
            stack.close()
            for path in made:
                with contextlib.suppress(OSError):
                    path.rmdir()
            raise


def begin(out, identity, plan):
    """Notes in `out` which build goes on there.

    Raises:
        DataError: `out` holds the unfinished build of another plan. Nothing is deleted.
    """
    begun = _read_begun(out)
    if begun is not None and begun.get("plan") != plan:
        raise DataError(
            f"--out must be empty or hold the unfinished build of the same data. Received: {out}, "
            "whose build began with other source files; delete it or choose another directory"
        )
    write_atomically(out / _BEGUN, json.dumps({"identity": identity, "plan": plan}))


def check_free(out, identity):
    """Raises DataError if `out` holds anything but an unfinished build of the same arguments."""
    begun = _read_begun(out)
    if begun is not None:
        if begun.get("identity") != identity:
            raise DataError(
                f"--out must be empty or hold a build of the same arguments. Received: {out} with "
                f"the unfinished build of {json.dumps(begun.get('identity'))}"
            )
        return
    names = [path.name for path in out.iterdir()]
    foreign = [name for name in names if name != LOCK and not _NOTES.fullmatch(name)]
    if foreign:
        raise DataError(
            f"--out must be an empty or a new directory. Received: {out} with\n"
            f"{listing(sorted(foreign))}"
        )


@contextlib.contextmanager
def emptied_on_bad_data(out):
    """Removes what the unfinished build left in `out` when the body raises DataError."""
    try:
        yield
    except DataError:
        for path in _own_files(out):
            path.unlink()
        raise


def tidy(out):
    """Removes the notes of a build whose manifest is written."""
    for path in _own_files(out):
        if path.suffix != ".tfrecord" and path.name not in (PREVIEW, SOURCE_FILES):
            path.unlink()


def _own_files(out):
    # The note goes last: without it the other files would look foreign to the next build.
    paths = [path for path in out.iterdir() if _OURS.fullmatch(path.name)]
    return sorted(paths, key=lambda path: path.name == _BEGUN)


def _read_begun(out):
    try:
        content = json.loads((out / _BEGUN).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        content = {}
    return content if isinstance(content, dict) else {}
