"""The class list of a user's own data set: names, colours, and which id is unlabelled."""

from dataclasses import dataclass

import numpy as np

from data_pipeline.datasets.class_table import BACKGROUND, UNLABELLED, VOID
from data_pipeline.errors import DataError
from data_pipeline.labels.class_list_file import read_class_list_file
from data_pipeline.labels.label_rule import LabelRule

_MAX_ID = 65535  # label maps are stored with 16 bits


@dataclass(frozen=True)
class ClassList:
    """Ids of the user's label maps, and what they become.

    Attributes:
        names: the user's names; index = the user's id.
        colours: one (r, g, b) for each name, or None.
        unlabelled: the user's id of unlabelled pixels (it may lie beyond the list), or None.
    """

    names: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...] | None
    unlabelled: int | None

    @property
    def id_shift(self):
        """Our id minus the user's, for ids beyond the list: 1 unless an id of the list became 0."""
        return 0 if self._unlabelled_is_listed else 1

    @property
    def class_names(self):
        """Our names, the first is "unlabelled"."""
        return ("unlabelled", *self._labelled(self.names))

    @property
    def palette(self):
        """Our colours, or None."""
        if self.colours is None:
            return None
        first = self.colours[self.unlabelled] if self._unlabelled_is_listed else (40, 40, 40)
        return (first, *self._labelled(self.colours))

    @property
    def label_ids(self):
        """{the user's id: ours}, of every class and of the unlabelled id.

        >>> ClassList(("sky", "road"), None, 255).label_ids
        {0: 1, 1: 2, 255: 0}
        """
        ids = list(range(len(self.names)))
        if self.unlabelled is not None and not self._unlabelled_is_listed:
            ids.append(self.unlabelled)
        return dict(zip(ids, self.to_ours(np.array(ids)).tolist(), strict=True))

    def to_ours(self, ids):
        """Maps the user's ids to ours: the unlabelled id to 0, the others to 1, 2, ... in order.

        Args:
            ids: int32 (H, W).

        Returns:
            int32 (H, W); ids beyond the list stay beyond ours.

        >>> ClassList(("sky", "void", "road"), None, 1).to_ours(np.array([[0, 1, 2, 3]])).tolist()
        [[1, 0, 2, 3]]
        """
        if self.unlabelled is None:
            return ids + 1
        after = ids > self.unlabelled if self._unlabelled_is_listed else False
        return np.where(ids == self.unlabelled, 0, ids + 1 - after)

    @property
    def rule(self):
        """The `LabelRule` of the user's label maps."""
        if self.colours is None:
            return LabelRule(indices=True)
        beyond = self.unlabelled is not None and not self._unlabelled_is_listed
        uncoloured = (self.unlabelled,) if beyond else ()
        return LabelRule(dict(enumerate(self.colours)), uncoloured, distinct=True)

    @property
    def _unlabelled_is_listed(self):
        return self.unlabelled is not None and self.unlabelled < len(self.names)

    def _labelled(self, values):
        return tuple(value for i, value in enumerate(values) if i != self.unlabelled)


def read_class_list(path, unlabelled=None):
    """Reads a class list.

    Args:
        path: Path of a file in one of the forms of `read_class_list_file`.
        unlabelled: id or name of the unlabelled class, as a string. Defaults to the class named
            "unlabelled" or "unlabeled", or else "void", "ignore" or "ignored", or else, in a
            labelmap.txt, "background", in any case, if there is one.

    Returns:
        ClassList.

    Raises:
        DataError: the file is missing or malformed, or `unlabelled` is no class.
    """
    names, colours, from_tool = read_class_list_file(path)
    known = (UNLABELLED, VOID, BACKGROUND) if from_tool else (UNLABELLED, VOID)
    number = _unlabelled_id(names, unlabelled, path, known)
    return ClassList(tuple(names), colours and tuple(colours), number)


def _unlabelled_id(names, unlabelled, path, known):
    lower = [name.lower() for name in names]
    if unlabelled is None:
        for group in known:
            found = [i for i, name in enumerate(lower) if name in group]
            if len(found) > 1:
                raise DataError(
                    f"{path}: --unlabelled must say which class is that of unlabelled pixels. "
                    f"Received: none of {', '.join(names[i] for i in found)}"
                )
            if found:
                return found[0]
        return None
    if unlabelled in names:
        return names.index(unlabelled)
    if lower.count(unlabelled.lower()) == 1:
        return lower.index(unlabelled.lower())
    if unlabelled.isdecimal() and int(unlabelled) <= _MAX_ID:
        return int(unlabelled)  # 255 is often used and seldom listed
    raise DataError(
        f"--unlabelled must be an id in 0..{_MAX_ID} or a name of {path}. Received: {unlabelled}"
    )
