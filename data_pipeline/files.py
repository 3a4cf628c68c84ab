"""Writing and checking files so that a kill at any moment leaves either the old or the new one."""

import codecs
import errno
import hashlib
import os
from pathlib import Path

# What a file system answers that cannot do it, where nothing else is wrong.
UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK)


def sync(path):
    """Forces a file's (or directory's) content to disk before anything that builds on it.

    Some network disks and shared folders cannot sync a directory; there nothing is lost by going
    on, for they write names down in an order of their own anyway.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in UNSUPPORTED or not os.path.isdir(path):
            raise
    finally:
        os.close(descriptor)


def publish(temporary, path):
    """Syncs `temporary` and renames it to `path` in one atomic step."""
    sync(temporary)
    os.replace(temporary, path)
    sync(Path(path).parent)


def publish_directory(temporary, path):
    """Syncs a directory and all in it, and renames it to `path`, which is absent or empty."""
    for each in (*Path(temporary).rglob("*"), temporary):
        sync(each)
    os.rename(temporary, path)
    sync(Path(path).parent)


def write_atomically(path, text):
    """Writes a text file that is complete as soon as it is there."""
    temporary = Path(f"{path}.tmp")
    temporary.write_text(text, encoding="utf-8")
    publish(temporary, path)


def read_text(path):
    """Reads a text file of any editor: UTF-8, or UTF-16 if a byte order mark says so.

    Raises:
        OSError, UnicodeError: the file cannot be read, or is neither.
    """
    content = Path(path).read_bytes()
    marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return content.decode("utf-16" if content.startswith(marks) else "utf-8-sig")


def sha256(path):
    """Returns the SHA-256 of a file as a hexadecimal string."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
