"""What the numbers and colours of label maps mean to a data set, and to a model trained on it."""

import difflib
from dataclasses import dataclass

import numpy as np

from data_pipeline.errors import DataError, listing
from data_pipeline.labels.label_rule import LabelRule
from data_pipeline.labels.palette import default_palette


@dataclass(frozen=True)
class Legend:
    """The classes of a data set.

    Attributes:
        class_names: N names; index = our id, the first is "unlabelled".
        palette: N colours (r, g, b) in 0..255.
        label_ids: {id in the data set's label files: our id}, or None where they are the same.
        label_palette: {id in the label files: (r, g, b)}, colours that decide what a palette or
            a colour means: those of the class list, or those on which the palettes of all files
            agree. None where there were neither, and in what earlier versions wrote.
    """

    class_names: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    label_ids: dict[int, int] | None = None
    label_palette: dict[int, tuple[int, int, int]] | None = None

    @classmethod
    def coloured(cls, class_names, label_ids=None):
        """A legend with the default colours."""
        palette = default_palette(len(class_names)).tolist()
        return cls(tuple(class_names), tuple(map(tuple, palette)), label_ids)

    @classmethod
    def of(cls, manifest):
        """The legend of a built data set."""
        return cls(
            manifest.class_names, manifest.palette, manifest.label_ids, manifest.label_palette
        )

    @classmethod
    def from_json(cls, content):
        """Inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: an entry is missing or malformed.
        """
        names = tuple(content["class_names"])
        palette = tuple(tuple(colour) for colour in content["palette"])
        ids = content.get("label_ids")
        if not names or len(names) != len(palette):
            raise ValueError(f"{len(names)} class names and {len(palette)} colours")
        if not all(isinstance(name, str) for name in names):
            raise TypeError("class_names must be strings")
        if not all(map(_is_colour, palette)):
            raise ValueError("palette must be of three numbers in 0..255 each")
        if ids is not None:
            ids = {int(key): value for key, value in ids.items()}
            good = all(_is_id(k, 2**16) and _is_id(v, len(names)) for k, v in ids.items())
            if not (ids and good):
                raise ValueError("label_ids must map 16-bit ids to those of the classes")
        label_palette = content.get("label_palette")
        if label_palette is not None:
            label_palette = {int(key): tuple(colour) for key, colour in label_palette.items()}
            good = all(_is_id(k, 2**16) and _is_colour(c) for k, c in label_palette.items())
            if not (label_palette and good):
                raise ValueError("label_palette must map 16-bit ids to three numbers in 0..255")
        return cls(names, palette, ids, label_palette)

    def to_json(self):
        """A dict of plain JSON values."""
        return {
            "class_names": list(self.class_names),
            "palette": [list(colour) for colour in self.palette],
            "label_ids": self.label_ids
            and {str(key): value for key, value in self.label_ids.items()},
            "label_palette": self.label_palette
            and {str(key): list(colour) for key, colour in self.label_palette.items()},
        }

    @property
    def num_classes(self):
        """N, the unlabelled class 0 included."""
        return len(self.class_names)

    @property
    def file_ids(self):
        """The id that stands for each class in label files: N numbers, the lowest of each.

        A class that no file of the data set can hold, as the unlabelled one often is, gets a number
        from the end of 16 bits.

        >>> Legend(("unlabelled", "sky"), ((0, 0, 0), (0, 0, 255)), {0: 1}).file_ids
        (65535, 0)
        """
        lowest = {}
        for label in sorted(self._pairs):
            lowest.setdefault(self._pairs[label], label)
        free = (label for label in range(2**16 - 1, -1, -1) if label not in self._pairs)
        return tuple(
            lowest[ours] if ours in lowest else next(free) for ours in range(self.num_classes)
        )

    @property
    def known_ids(self):
        """{id that label files may have: our id}, numbers that `file_ids` made up included."""
        return {**self._pairs, **{label: ours for ours, label in enumerate(self.file_ids)}}

    @property
    def label_colours(self):
        """{id in label files: (r, g, b)} that decide, or None: `label_palette`, or own colours."""
        if self.label_palette or self.palette == Legend.coloured(self.class_names).palette:
            return self.label_palette
        return {label: self.palette[ours] for label, ours in self._pairs.items()}

    @property
    def rule(self):
        """The `LabelRule` of label maps for a model of these classes."""
        colours = self.label_colours
        unlabelled = [label for label, ours in self._pairs.items() if ours == 0]
        uncoloured = tuple(label for label in unlabelled if label not in (colours or ()))
        shown = dict(zip(self.file_ids, self.palette, strict=True))
        return LabelRule(colours, uncoloured, shown)

    def class_id(self, name):
        """Our id of a class; capitals do not matter.

        Raises:
            DataError: no class of that name; offers the nearest ones.

        >>> Legend(("unlabelled", "sky"), ((0, 0, 0), (0, 0, 255))).class_id("Sky")
        1
        """
        if name in self.class_names:
            return self.class_names.index(name)
        lower = [known.lower() for known in self.class_names]
        if name.lower() in lower:
            return lower.index(name.lower())
        near = difflib.get_close_matches(name.lower(), lower, 3, 0.5)
        near += [known for known in lower if name and name.lower() in known and known not in near]
        offer = [self.class_names[lower.index(known)] for known in near[:5]]
        hint = f"; the nearest: {', '.join(offer)}" if offer else ""
        raise DataError(
            f"a class must be one of the model's {self.num_classes}. Received: {name!r}{hint}"
        )

    def split_names(self, text):
        """Splits a list of class names at commas that are not part of a name.

        Args:
            text: names, each perhaps with the number of a segment behind it, as "car#2".

        Returns:
            list of str, in the spelling of the classes. Text that is no list of classes is split
            at every comma.

        Raises:
            DataError: the text can be read as different lists of classes.

        >>> legend = Legend.coloured(("unlabelled", "chair, seat", "road"))
        >>> legend.split_names("road,chair,seat#2")
        ['road', 'chair, seat#2']
        """
        parts = [part.strip() for part in text.split(",")]
        ways = [[] for _ in range(len(parts) + 1)]  # the lists of classes that parts[:i] can be
        ways[0] = [[]]
        for end in range(1, len(parts) + 1):
            for start in range(end):
                name = self._spelled(",".join(parts[start:end]))
                if name is not None:
                    ways[end] += [[*before, name] for before in ways[start][:2]]
        found = ways[-1]
        if len(found) > 1:
            one, other = (" and ".join(map(repr, way)) for way in found[:2])
            raise DataError(
                f"a list of classes must have one meaning; a class whose name is a list of others "
                f"can be chosen by a mask only. Received: {text!r}, which is {one} or {other}"
            )
        return found[0] if found else parts

    def to_ours(self, ids):
        """Maps ids of label files to ours.

        Args:
            ids: int (H, W), as in the data set's label files.

        Returns:
            int32 (H, W) in [0, N).

        Raises:
            DataError: ids that belong to no class, with their pixel counts.
        """
        pairs = self.known_ids
        last = max(pairs) + 1
        table = np.full(last + 1, -1, np.int32)  # the last entry stands for all ids beyond
        table[list(pairs)] = list(pairs.values())
        ours = table[np.where((ids < 0) | (ids > last), last, ids)]  # (H, W)
        check_ids(ids, ours >= 0, f"those of the model's {self.num_classes} classes")
        return ours

    def _spelled(self, text):
        """A class, perhaps with the number of a segment, spelled as here; None if it is none."""
        known = {_plain(name): name for name in reversed(self.class_names)}
        if _plain(text) in known:
            return known[_plain(text)]
        name, mark, number = text.rpartition("#")
        good = mark and number.isdecimal() and _plain(name) in known
        return f"{known[_plain(name)]}#{number}" if good else None

    @property
    def _pairs(self):
        return self.label_ids or {i: i for i in range(self.num_classes)}


def _plain(name):
    """A name without capitals and without blanks around its commas."""
    return ",".join(part.strip() for part in name.lower().split(","))


def _is_colour(value):
    return len(value) == 3 and all(_is_id(channel, 256) for channel in value)


def _is_id(value, end):
    return type(value) is int and 0 <= value < end


def check_ids(ids, good, rule):
    """Raises DataError listing the ids where `good` is False, with their pixel counts.

    Args:
        ids: int array.
        good: bool array of the same shape.
        rule: what the ids must be.
    """
    if good.all():
        return
    strange, counts = np.unique(ids[~good], return_counts=True)
    lines = [f"id {i}: {n} pixels" for i, n in zip(strange, counts, strict=True)]
    raise DataError(f"the ids of a label map must be {rule}. Received:\n{listing(lines)}")
