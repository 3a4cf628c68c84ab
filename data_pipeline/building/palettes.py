"""What colour each index has in the label files of a data set, and whether all agree."""

from collections import defaultdict
from dataclasses import dataclass, field

from data_pipeline.errors import DataError, listing


@dataclass
class Palettes:
    """The palettes of many files.

    Attributes:
        entries: {(index, (r, g, b)): (a file that has this entry, whether pixels of it use it)},
            of files whose indices are ids.
        greys: a file whose grey levels are the ids, and other than its indices; or None.
    """

    entries: dict = field(default_factory=dict)
    greys: str | None = None

    def add(self, palette, label):
        """Adds the `IndexPalette` of the file `label`; None adds nothing."""
        if palette is None:
            return
        if palette.greys:
            self.greys = self.greys or label
            return
        for index, colour in enumerate(palette.colours):
            self._add(index, colour, label, index in palette.used)

    def update(self, other):
        """Adds the files of other `Palettes`."""
        self.greys = self.greys or other.greys
        for (index, colour), (label, used) in other.entries.items():
            self._add(index, colour, label, used)

    def to_json(self):
        """A dict of plain JSON values."""
        entries = [[*key, *value] for key, value in self.entries.items()]
        return {"entries": entries, "greys": self.greys}

    @classmethod
    def from_json(cls, content):
        """Inverse of `to_json`."""
        rows = content["entries"]
        entries = {(index, tuple(colour)): (label, used) for index, colour, label, used in rows}
        return cls(entries, content["greys"])

    def agreed(self, ids):
        """The colours on which all files agree.

        An entry that no pixel uses may differ from another such.

        Args:
            ids: those of classes; other indices are left out.

        Returns:
            {index: (r, g, b)}, or None without any.

        Raises:
            DataError: an index that pixels use has two colours, or some palettes are of greys and
                some are not; names two files for each.
        """
        of_index = defaultdict(list)
        for (index, colour), (label, used) in self.entries.items():
            of_index[index].append((not used, colour, label))
        bad = []
        if self.greys and self.entries:
            label = next(iter(self.entries.values()))[0]
            bad.append(f"a palette of greys in {self.greys} and one of colours in {label}")
        for index, found in sorted(of_index.items()):
            (unused, first, label), *others = sorted(found)
            if others and not unused:
                _, second, other = others[0]
                bad.append(f"index {index} is {first} in {label} and {second} in {other}")
        if bad:
            raise DataError(
                "the palettes of label maps must give each index one colour in all files, or an "
                "index is no id; a class list with the colours makes colours count instead. "
                f"Received:\n{listing(bad)}"
            )
        agreed = {i: found[0][1] for i, found in sorted(of_index.items()) if len(found) == 1}
        return {index: colour for index, colour in agreed.items() if index in ids} or None

    def _add(self, index, colour, label, used):
        known = self.entries.get((index, colour))
        if known is None or (used and not known[1]):
            self.entries[index, colour] = (label, used)
