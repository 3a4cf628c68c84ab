"""Unpacking a ZIP archive: nothing outside the target, nothing twice."""

import contextlib
import lzma
import os
import zipfile
import zlib
from pathlib import Path

from tqdm import tqdm

from data_pipeline.errors import DataError

_BLOCK = 1 << 20
# Damaged structure, damaged content, or packed in a way that nobody publishes with.
_UNREADABLE = (
    zipfile.BadZipFile,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


def unpack(archive, target):
    """Unpacks `archive` into `target`, leaving out files that are there with the right size.

    Args:
        archive: Path of a ZIP file.
        target: Path of a directory; made if need be.

    Raises:
        DataError: the archive is damaged, a member would lie outside `target` (checked for all
            before the first is written), or `target` cannot be written.
    """
    with _reading(archive), zipfile.ZipFile(archive) as content:
        # Not is_dir: Python 3.11's breaks on a member without a name.
        members = [m for m in content.infolist() if not m.filename.endswith("/")]
        paths = [_inside(target, member, archive) for member in members]
        for member, path in zip(tqdm(members, desc=archive.name, unit="file"), paths, strict=True):
            with content.open(member) as source, _writing(target):
                if path.exists() and path.stat().st_size == member.file_size:
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                part = Path(f"{path}.part")
                with open(part, "wb") as file:
                    while block := _read(source, archive):
                        file.write(block)
                os.replace(part, path)


def _read(source, archive):
    with _reading(archive):
        return source.read(_BLOCK)


@contextlib.contextmanager
def _reading(archive):
    try:
        yield
    except DataError:
        raise
    # A wrong offset is an OSError to Python.
    except (*_UNREADABLE, OSError) as error:
        raise DataError(
            f"{archive} must be a complete ZIP archive; delete it and run the same command again. "
            f"Received: {error}"
        ) from None


@contextlib.contextmanager
def _writing(target):
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{target} must be a directory with room to write in; the same command goes on with "
            f"what is there. Received: {error}"
        ) from None


def _inside(target, member, archive):
    root = target.resolve()
    path = (root / member.filename).resolve()
    if root not in path.parents:
        raise DataError(
            f"{archive} must hold files below {target} only. Received: {member.filename!r}"
        )
    return path
