"""Finds files under a directory by what is left of their paths in somebody else's notes."""

import os
from pathlib import PureWindowsPath

from data_pipeline.datasets.walk import walk


class FileIndex:
    """The files of a directory tree, to be found by their last path parts.

    They are those of `walk`; one that several links lead to is one.

    Args:
        folder: Path.
        suffixes: accepted file suffixes, lower case.
        without: Paths of directories to leave out.
    """

    def __init__(self, folder, suffixes, without=()):
        self._by_name = {}
        for path in walk(folder, without):
            if path.suffix.lower() in suffixes:
                self._by_name.setdefault(path.name, []).append(path)

    def find(self, noted, *preferences):
        """Finds the files that share the most last parts with a noted path.

        Args:
            noted: str, a path of any system: "C:\\\\data\\\\a.jpg", "../images/a.jpg", "a.jpg".
            preferences: functions Path -> bool, most important first, which choose between files
                that share as many.

        Returns:
            list of Path: none, the one, or several that nothing tells apart.
        """
        parts = noted_parts(noted)
        found = self._by_name.get(parts[-1], []) if parts else []
        ranks = {
            path: (_shared(path.parts, parts), *(prefers(path) for prefers in preferences))
            for path in found
        }
        best = max(ranks.values(), default=None)
        nearest = [path for path, rank in ranks.items() if rank == best]
        if len(nearest) == 1:
            return nearest
        return list({os.path.realpath(path): path for path in reversed(nearest)}.values())[::-1]


def noted_parts(noted):
    """The parts of a path of any system, without drive, root and dots.

    >>> noted_parts("C:\\\\data\\\\a.jpg"), noted_parts("../images/./a.jpg")
    (('data', 'a.jpg'), ('images', 'a.jpg'))
    """
    path = PureWindowsPath(noted)
    return tuple(part for part in path.parts if part not in (path.anchor, "..", "."))


def _shared(parts, noted):
    pairs = zip(reversed(parts), reversed(noted), strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(parts), len(noted)))
