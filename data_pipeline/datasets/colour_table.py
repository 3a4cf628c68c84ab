"""Label maps whose colours say the class, whichever way a file stores them."""

from dataclasses import dataclass

import numpy as np

from data_pipeline.datasets.class_table import class_table
from data_pipeline.datasets.pictures import open_label, open_rgb
from data_pipeline.errors import DataError, listing

_COLOUR_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")


@dataclass(frozen=True)
class ColourTable:
    """Colours, and which of our classes each is.

    Attributes:
        names: the tool's names, in its order; an index of a palette is a position here.
        colours: (r, g, b) of each.
        unlabelled: further colours that are unlabelled.
        grey_ids: a grey file may hold positions (255 for unlabelled) in place of colours.
    """

    names: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...]
    unlabelled: tuple[tuple[int, int, int], ...] = ()
    grey_ids: bool = False

    @property
    def class_names(self):
        """Our names; `class_table` says how they are made."""
        return class_table(self.names)[0]

    @property
    def palette(self):
        """A colour for each of our classes."""
        colours = {}
        for ours, colour in zip(class_table(self.names)[1], self.colours, strict=True):
            colours.setdefault(ours, colour)
        colours.setdefault(0, (0, 0, 0))
        return tuple(colours[i] for i in range(len(colours)))

    @property
    def label_ids(self):
        """{position: our id}, and 255 for unlabelled if that is no position."""
        return {255: 0, **dict(enumerate(class_table(self.names)[1]))}

    @property
    def label_palette(self):
        """{position: colour}: what later readers of palettes go by."""
        return dict(enumerate(self.colours))

    def read(self, path):
        """Reads a label map.

        RGB and palette files are taken by their colours: a palette may have been renumbered since.
        Only where two classes share a colour, an index counts, if the file's palette is the
        table's. Grey files are taken by their colours too, or for positions if `grey_ids`.

        Returns:
            int32 (H, W), our ids.

        Raises:
            DataError: a colour of no class, one of two classes, or greys that can be read in two
                ways. Names the file.
        """
        label = open_label(path)
        if label.mode not in _COLOUR_MODES:
            raise DataError(
                f"{path}: a label map must be a PNG of 8 bits a channel whose colours are those of "
                f"the classes. Received: a picture of mode {label.mode}"
            )
        ours = class_table(self.names)[1]
        if label.mode == "P" and self._has_our_palette(label):
            return np.array(ours, np.int32)[np.asarray(label)]
        # Not from `label`: a grey of two bits is 0 to 3 as an id, and 0 to 255 as a colour.
        rgb = np.asarray(open_rgb(path))  # (H, W, 3)
        if not self.grey_ids or (rgb != rgb[..., :1]).any():
            return self._of_colours(rgb, path)
        grey = np.asarray(label).astype(np.uint8) if label.mode in ("1", "L") else rgb[..., 0]
        table = np.full(256, -1, np.int32)
        table[list(self.label_ids)] = list(self.label_ids.values())
        as_ids = table[grey]
        try:
            as_colours = self._of_colours(rgb, path)
        except DataError:
            if (as_ids < 0).any():
                raise
            return as_ids
        if (as_ids >= 0).all() and (as_ids != as_colours).any():
            raise DataError(
                f"{path}: a grey label map must hold either ids or colours of the classes. "
                f"Received: {np.unique(grey).tolist()}, which can be both"
            )
        return as_colours

    def _has_our_palette(self, label):
        palette = np.array(label.getpalette("RGB"), np.uint8).reshape(-1, 3)
        used = np.unique(np.asarray(label))
        if used[-1] >= min(len(self.colours), len(palette)):
            return False
        return (palette[used] == np.array(self.colours)[used]).all()

    def _of_colours(self, rgb, path):
        classes = {}  # {colour: our ids}
        for our_id, colour in zip(class_table(self.names)[1], self.colours, strict=True):
            classes.setdefault(colour, set()).add(our_id)
        classes |= {colour: {0} for colour in self.unlabelled}
        packed = rgb.astype(np.int32) @ (65536, 256, 1)  # (H, W); rows of colours sort far slower
        values, places, counts = np.unique(packed, return_inverse=True, return_counts=True)
        found = [(v >> 16, v >> 8 & 255, v & 255) for v in values.tolist()]
        meanings = [classes.get(colour, set()) for colour in found]
        lost = [
            f"{colour}: {count} pixels{', of several classes' if meaning else ''}"
            for colour, count, meaning in zip(found, counts.tolist(), meanings, strict=True)
            if len(meaning) != 1
        ]
        if lost:
            raise DataError(
                f"{path}: every colour must be that of one class. "
                f"Received: {len(lost)} other colours:\n{listing(lost)}"
            )
        ours = np.array([min(meaning) for meaning in meanings], np.int32)
        return ours[places.reshape(rgb.shape[:2])]
