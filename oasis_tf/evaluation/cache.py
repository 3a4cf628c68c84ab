"""What has been measured, on disk: an interrupted evaluation goes on where it stopped."""

import hashlib
import json
import os
import zipfile
from pathlib import Path

import numpy as np

from data_pipeline.files import publish, sha256


class Cache:
    """Dicts of arrays, by what they depend on and by chunk.

    Args:
        directory: Path, made when something is stored.
        writes: stores what is measured; False where another process does.
    """

    def __init__(self, directory, *, writes=True):
        self._directory = directory
        self._writes = writes

    def get_or_measure(self, key, number, measure):
        """What is stored, or `measure()`, which is stored then.

        Args:
            key: JSON-able; all that the numbers depend on.
            number: of the chunk.
            measure: function without arguments giving a dict of arrays.
        """
        path = self.path(key, number)
        try:
            with np.load(path) as stored:
                return dict(stored)
        except (OSError, ValueError, zipfile.BadZipFile, EOFError):
            pass  # not there, or damaged by a full disk
        measured = measure()
        if not self._writes:
            return measured
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        with open(temporary, "wb") as file:
            np.savez_compressed(file, **measured)
        publish(temporary, path)
        return measured

    def path(self, key, number):
        """Path of a chunk's file."""
        text = json.dumps(key, sort_keys=True)
        return self._directory / hashlib.sha256(text.encode()).hexdigest()[:24] / f"{number:06}.npz"


def model_checksum(path, checkpoint=None):
    """SHA-256 over the files that decide what a model draws.

    Args:
        path: Path of a training run, a converted checkpoint or an exported SavedModel.
        checkpoint: path of the one that was read. Defaults to None, of a SavedModel.
    """
    if checkpoint is not None:
        checkpoint = Path(checkpoint)
        files = [path / "config.json", *checkpoint.parent.glob(f"{checkpoint.name}.*")]
    else:
        files = [file for file in path.rglob("*") if file.is_file()]
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.name} {sha256(file)}\n".encode())
    return digest.hexdigest()
