"""Annotation files of COCO's kind, by where each annotation stands in them.

LVIS has 1.3 million outlines in 1.3 GB of JSON. Of each only five numbers stay in memory; who
paints a picture reads its outlines from the file.
"""

import json
import os
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from data_pipeline.datasets import masks
from data_pipeline.datasets.json_stream import stream_lists
from data_pipeline.errors import DataError
from data_pipeline.files import publish

_IMAGE_KEYS = ("id", "file_name", "coco_url", "height", "width")
_CATEGORY_KEYS = ("id", "name")
_FORMAT = 2
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class _Annotation(msgspec.Struct, gc=False):
    """What is looked at of an annotation; its outline stays the JSON it is."""

    id: Any = None
    image_id: Any = None
    category_id: Any = None
    segmentation: msgspec.Raw = msgspec.Raw(b"null")


def index_path(notes, split):
    """The file for the index of a split in the directory `notes`, or None without one."""
    return None if notes is None else Path(notes) / f".{split}.index.npz"


@dataclass(frozen=True, eq=False)
class Outlines:
    """The annotations of one image, in file order.

    Attributes:
        classes: int32 (n,), our class ids.
        starts, lengths: int64 (n,), where their JSON stand in the file, in bytes.
    """

    classes: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray

    def read(self, path):
        """Yields (our class id, the annotation's dict).

        Args:
            path: Path of the file.

        Raises:
            DataError: the file is not what it was.
        """
        try:
            with open(path, "rb") as file:
                for number, start, length in zip(
                    self.classes.tolist(), self.starts.tolist(), self.lengths.tolist(), strict=True
                ):
                    entry = _read_entry(file, start, length)
                    if "segmentation" not in entry:
                        raise ValueError("no annotation where one was")
                    yield number, entry
        except (OSError, ValueError, TypeError, msgspec.DecodeError) as error:
            raise DataError(f"{path} must not change during a build. Received: {error}") from None


class AnnotationIndex:
    """What a JSON file of COCO's kind holds, without the outlines.

    Args:
        path: Path of the file.
        kept: Path of a file to keep this in, so that the next process need not read the JSON, as
            long as that is the same. Defaults to none.

    Raises:
        DataError: the file is unreadable, or lacks one of its three lists.

    Attributes:
        images, categories: lists of dicts, in file order, of the keys that matter.
    """

    def __init__(self, path, kept=None):
        self._path = Path(path)
        self.images, self.categories = [], []
        # Of each annotation: a number for its image, category id, start and length in the file, and
        # 1 if it outlines nothing.
        self._rows = array("q")
        self._numbers = {}  # image id -> its number
        self._problems = []  # (start, message)
        self._broken = []
        state = _state(self._path)
        if kept is not None and self._load(kept, state):
            return
        stream_lists(
            self._path,
            {
                "images": (dict, _collect(self.images, _IMAGE_KEYS)),
                "annotations": (_Annotation, self._add),
                "categories": (dict, _collect(self.categories, _CATEGORY_KEYS)),
            },
        )
        if not self.images:
            raise DataError(f"{path} must list images. Received: an empty list")
        self._rows = np.frombuffer(self._rows, np.int64).reshape(-1, 5).T.copy()
        if kept is not None and not self._problems:
            self._save(kept, state)

    def of_images(self, our_ids):
        """The outlines of each image.

        Args:
            our_ids: {category id: our class id}.

        Returns:
            ({image id: `Outlines`} of all images; list of problems: annotations that are
            malformed, or of an image or a category that is not listed; list of those that outline
            nothing, which are left out).
        """
        image, category, starts, lengths, empty = self._rows
        ids = [entry.get("id") for entry in self.images]
        listed = {number for number in ids if type(number) in (int, str)}
        known = np.array([number in listed for number in self._numbers], bool)
        known = known[image] if len(image) else np.zeros(0, bool)
        categories, place = np.unique(category, return_inverse=True)
        ours = np.array([our_ids.get(number, -1) for number in categories.tolist()], np.int32)
        classes = ours[place] if len(ours) else np.zeros(0, np.int32)
        problems = list(self._problems)
        with open(self._path, "rb") as file:
            for row in np.flatnonzero(~known | (classes < 0)):
                entry = _read_entry(file, int(starts[row]), int(lengths[row]), _Annotation)
                key = "category_id" if known[row] else "image_id"
                message = f"must name a known {key}: {getattr(entry, key)!r}"
                problems.append((starts[row], self._complaint(entry, message)))
        image = np.where(empty, len(self._numbers), image)  # of no image
        order = np.argsort(image, kind="stable")
        ends = np.searchsorted(image[order], np.arange(len(self._numbers) + 1))
        classes, starts, lengths = classes[order], starts[order], lengths[order]
        none = slice(0, 0)
        outlines = {}
        for number in listed:
            at = self._numbers.get(number)
            part = none if at is None else slice(ends[at], ends[at + 1])
            outlines[number] = Outlines(classes[part], starts[part], lengths[part])
        return outlines, [message for _, message in sorted(problems)], self._broken

    def _add(self, entry, start, stop):
        image, category, message = entry.image_id, entry.category_id, None
        if type(image) not in (int, str):
            message = f"must name a known image_id: {image!r}"
        elif type(category) is not int or not -(2**63) <= category < 2**63:
            message = f"must name a known category_id: {category!r}"
        if message:
            self._problems.append((start, self._complaint(entry, message)))
            return
        if empty := _emptiness(bytes(entry.segmentation)):
            message = f"must have an outline in 'segmentation', not only a box: {empty}"
            self._broken.append(self._complaint(entry, message))
        number = self._numbers.setdefault(image, len(self._numbers))
        self._rows.extend((number, category, start, stop - start, bool(empty)))

    def _complaint(self, entry, message):
        return f"{self._path}: annotation {entry.id} (image {entry.image_id}) {message}"

    def _save(self, kept, state):
        rest = {
            "state": state,
            "images": self.images,
            "categories": self.categories,
            "numbers": list(self._numbers),
            "broken": self._broken,
        }
        text = np.frombuffer(json.dumps(rest).encode(), np.uint8)
        temporary = Path(f"{kept}.tmp")
        try:
            with open(temporary, "wb") as file:
                np.savez(file, rows=self._rows, rest=text)
            publish(temporary, kept)
        except OSError:
            # A full disk is told of where it matters: this can be made again.
            temporary.unlink(missing_ok=True)

    def _load(self, kept, state):
        try:
            with np.load(kept) as content:
                rest = json.loads(content["rest"].tobytes())
                if rest["state"] != state:
                    return False
                rows = content["rows"]
        # NumPy meets a damaged file with exceptions of many kinds.
        except Exception:
            return False
        self._rows, self._numbers = rows, {number: i for i, number in enumerate(rest["numbers"])}
        self.images, self.categories = rest["images"], rest["categories"]
        self._broken = rest["broken"]
        return True


def _read_entry(file, start, length, kind=dict):
    """The entry whose JSON are these bytes of an open file."""
    return msgspec.json.decode(os.pread(file.fileno(), length, start), type=kind)


def _emptiness(text):
    """`masks.emptiness` of JSON."""
    # Polygons of six numbers or more, as nearly all are, are seen without reading the numbers.
    if text[:2] == b"[[" and (
        _is_long(text[1:-1]) or all(_is_long(bytes(each)) for each in _decode_list(text))
    ):
        return None
    return masks.emptiness(msgspec.json.decode(text))


def _is_long(text):
    return text.find(b"]") == len(text) - 1 and text.count(b",", 0, 150) > 4


def _state(path):
    try:
        status = os.stat(path)
    except OSError as error:
        raise DataError(f"{path} must be a readable JSON file. Received: {error}") from None
    return [_FORMAT, os.path.abspath(path), status.st_size, status.st_mtime_ns]


def _collect(entries, keys):
    """A visitor that keeps these keys of each entry."""

    def visit(entry, *_):
        entries.append({key: entry[key] for key in keys if key in entry})

    return visit
