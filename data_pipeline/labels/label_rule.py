"""What the pixels of a label picture mean: one rule for everybody who reads one.

1. A grey picture holds ids, its samples as they are stored, whatever their depth.
2. Where a list gives ids their colours, colours decide: those of pixels, and those of a palette.
   The list is that of the classes, or the palette on which all files of the data set agree.
3. A palette of nothing but greys means its grey levels: tools that make files smaller write it for
   a grey picture, and number its entries as they like.
4. Colours that a model shows its classes in, without such a list, mean those classes.
5. An index of another palette is the id only while a data set is built, and only if all its files
   agree on the colour it has (`data_pipeline/building/palettes.py`).

All else is refused. `oasis_tf/serving/exporting/label_png.py` is the same rule as a graph,
`oasis_tf/serving/page/label_rule.js` the same in a browser; the files of `tests/label_corpus.py`
must mean the same to all.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from data_pipeline.errors import DataError, listing

# "I;16" variants are 16-bit greyscale; of "LA" the second channel is opacity.
_GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16L", "I;16B")


@dataclass(frozen=True)
class LabelRule:
    """The rule for the files of one data set or model.

    Attributes:
        colours: {id: (r, g, b)} that decide, or None. Of equal colours the lowest id counts, but
            for a palette whose index has the colour of its own id.
        uncoloured: ids that have no entry in `colours`; an index is taken for one of them whatever
            its colour is, if that is nobody else's. The border of 255 is often so.
        shown: {id: (r, g, b)} that a model shows its classes in, or None.
        indices: take the indices of other palettes for ids; their colours must then be compared.
        distinct: refuse pixels of a colour that several ids have, where nothing but the colour
            says which it is.
    """

    colours: dict[int, tuple[int, int, int]] | None = None
    uncoloured: tuple[int, ...] = ()
    shown: dict[int, tuple[int, int, int]] | None = None
    indices: bool = False
    distinct: bool = False

    def ids(self, image, path):
        """Reads a picture.

        Args:
            image: PIL image, from `data_pipeline.datasets.pictures.open_label`.
            path: its file, for the error.

        Returns:
            int32 (H, W), ids as the data set's label files have them.

        Raises:
            DataError: a picture that holds no ids, or colours without a meaning, with their pixel
                counts.
        """
        if image.mode in _GREY_MODES:
            grey = image.getchannel(0) if image.mode == "LA" else image
            ids = np.asarray(grey).astype(np.int32)  # (H, W)
            if ids.min() < 0:
                raise DataError(
                    f"{path}: the ids of a label map must be 0 or more. "
                    f"Received: {(ids < 0).sum()} pixels below, {ids.min()} the lowest"
                )
            return ids
        if image.mode == "P":
            return self._of_palette(image, path)
        if image.mode in ("RGB", "RGBA") and (self.colours or self.shown):
            return self._of_colours(np.asarray(image.convert("RGB")), path)
        raise DataError(
            f"{path}: a label map must hold class ids (a grey PNG, or one with a palette), unless "
            f"the class list gives every class a colour. Received: a picture of mode {image.mode}"
        )

    def _of_palette(self, image, path):
        indices = np.asarray(image)  # (H, W)
        palette = _palette(image)  # (K, 3)
        counts = np.bincount(indices.ravel(), minlength=len(palette))
        used = np.flatnonzero(counts)  # (U,)
        if used[-1] >= len(palette):
            raise DataError(
                f"{path}: every index must have a colour in the palette of {len(palette)}. "
                f"Received: index {used[-1]}"
            )
        table = np.zeros(len(palette), np.int32)
        table[used] = self._meaning(palette, used, counts[used], path)
        return table[indices]

    def _meaning(self, palette, used, counts, path):
        """The id of each index in `used`: int (U,)."""
        keys = _pack(palette[used])  # (U,)
        if self.colours:
            ids = self._of_keys(keys)
            own = [self.colours.get(index) for index in used.tolist()]
            same = np.array([key == _key(c) for key, c in zip(keys.tolist(), own, strict=True)])
            ids = np.where(same, used, ids)
            free = _find(keys, self.colours) < 0
            ids = np.where(free & np.isin(used, self.uncoloured), used, ids)
            if (ids >= 0).all():
                return ids
        if _is_grey(palette):
            levels = palette[used, 0]
            if len(np.unique(levels)) == len(levels):
                return levels
            raise DataError(
                f"{path}: a palette of greys must give every index a grey of its own, which is the "
                f"id. Received: greys {', '.join(map(str, levels[:10]))} of indices "
                f"{', '.join(map(str, used[:10]))}"
            )
        if self.indices and not self.colours:
            return used
        ids = _find(keys, self.shown)
        if (ids >= 0).all():
            return ids
        lost = (self._of_keys(keys) if self.colours else ids) < 0
        shared = self._shared
        found = [
            f"{_text(key)} of index {index}: {count} pixels{_of_several(shared.get(key))}"
            for key, index, count in zip(keys[lost].tolist(), used[lost], counts[lost], strict=True)
        ]
        rule = "every colour of the palette must be that of one class of the class list"
        if not self.colours:
            rule += (
                ", for the data set had no palette that would say what an index means (one built "
                "by an earlier version did not keep it: build it again)"
            )
        raise DataError(
            f"{path}: {rule}, or all be greys. Received: {len(found)} other colours:\n"
            f"{listing(found)}"
        )

    def _of_colours(self, rgb, path):
        keys, inverse, counts = np.unique(_pack(rgb), return_inverse=True, return_counts=True)
        for ids in (self._of_keys(keys), _find(keys, self.shown)):
            if (ids >= 0).all():
                return ids[inverse].reshape(rgb.shape[:2]).astype(np.int32)
        lost = (self._of_keys(keys) if self.colours else ids) < 0
        order = np.argsort(-counts[lost], kind="stable")
        shared = self._shared
        found = [
            f"{_text(key)}: {count} pixels{_of_several(shared.get(key))}"
            for key, count in zip(keys[lost][order].tolist(), counts[lost][order], strict=True)
        ]
        raise DataError(
            f"{path}: every colour must be that of one class of the class list. "
            f"Received: {len(found)} other colours:\n{listing(found)}"
        )

    def _of_keys(self, keys):
        """The id of each packed colour by `colours`, -1 where it has none: int (U,)."""
        return np.where(np.isin(keys, list(self._shared)), -1, _find(keys, self.colours))

    @property
    def _shared(self):
        """{packed colour: the ids that share it}, of colours that must not be shared."""
        of_key = {}
        for label, colour in (self.colours or {}).items() if self.distinct else ():
            of_key.setdefault(_key(colour), []).append(label)
        return {key: labels for key, labels in of_key.items() if len(labels) > 1}


class IndexPalette(NamedTuple):
    """The palette of a file that rule 3 or 5 reads.

    Attributes:
        colours: (r, g, b) of each index.
        used: indices that pixels have.
        greys: its grey levels are the ids, not its indices.
    """

    colours: tuple[tuple[int, int, int], ...]
    used: tuple[int, ...]
    greys: bool


def index_palette(image):
    """The `IndexPalette` of a picture, or None without palette, or one of levels like indices.

    Args:
        image: PIL image; its pixels are read only if it has a palette.
    """
    if image.mode != "P":
        return None
    used, palette = np.unique(np.asarray(image)), _palette(image)
    greys = bool(_is_grey(palette))
    if greys and np.array_equal(palette[used, 0], used):
        return None
    return IndexPalette(tuple(map(tuple, palette.tolist())), tuple(used.tolist()), greys)


def _palette(image):
    return np.array(image.getpalette("RGB"), np.int64).reshape(-1, 3)


def _is_grey(palette):
    return (palette == palette[:, :1]).all()


def _find(keys, colours):
    """The lowest id of each colour, -1 where it has none: int (U,) of packed colours (U,)."""
    first = {}
    for label in sorted(colours or ()):
        first.setdefault(_key(colours[label]), label)
    return np.array([first.get(key, -1) for key in keys.tolist()], np.int64)


def _key(colour):
    return -1 if colour is None else int(_pack(np.array(colour)))


def _pack(rgb):
    red, green, blue = np.moveaxis(np.asarray(rgb, np.int64), -1, 0)
    return red << 16 | green << 8 | blue


def _of_several(labels):
    return f", the colour of ids {', '.join(map(str, labels))}" if labels else ""


def _text(key):
    return f"({key >> 16}, {key >> 8 & 255}, {key & 255})"
