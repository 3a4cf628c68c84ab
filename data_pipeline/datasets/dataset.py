"""What every data set reader gives the builder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Item:
    """One example that is still to be read. Cheap, and sent to worker processes.

    Attributes:
        name: unique within its split; goes into the record.
        image: the picture.
        label: the file with its labels.
    """

    name: str
    image: Path
    label: Path


@dataclass(frozen=True)
class Dataset:
    """A source directory after all cheap checks.

    Attributes:
        class_names: N names, the first is "unlabelled".
        items: {split: items in source order}.
        load: item -> (PIL picture in RGB, int label map (H, W) in our ids, 0 = unlabelled). Both
            have the same size; ids may be N or more, which the builder reports. Raises DataError.
        palette: N colours (r, g, b), or None for the default ones.
        label_ids: {id in the label files: our id}, or None where they are the same.
        id_shift: our id minus the file's id, for ids beyond the class list.
        missing: names of pictures that were skipped because they do not exist.
        unpaired: descriptions of files without partner that were skipped.
        broken: descriptions of annotations that were skipped because they outline nothing.
        left_out: directories that hold pictures of no split, such as "images/test".
        foreign_ids: {id beyond the class list: what files with this id are}, such as another
            encoding of the same classes, in which the other ids would be read wrong too.
        doubt: what to be told where no pixel at all is unlabelled, or None.
        label_palette: {id in the label files: (r, g, b)} where `load` reads palettes by their
            colours; None where an index is the id: then the builder sees that all files agree on
            its colour.
    """

    class_names: tuple[str, ...]
    items: dict[str, list[Item]]
    load: Callable
    palette: tuple[tuple[int, int, int], ...] | None = None
    label_ids: dict[int, int] | None = None
    id_shift: int = 0
    missing: tuple[str, ...] = ()
    unpaired: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    foreign_ids: dict[int, str] | None = None
    doubt: str | None = None
    label_palette: dict[int, tuple[int, int, int]] | None = None
