"""Which files among label maps are pictures that the commands have drawn of them."""

import re

# What follows the name of a label map in the names of its pictures, from the first "_" on.
_ENDING = re.compile(r"_sample\d{3,}_seed\d+|_seed\d+(_edit\d{3,}_seed\d+|_strip|_to_seed\d+)?")
_SHEET = re.compile(r"contact_sheet(_\d+)?")


def without_own_pictures(files, out):
    """Leaves out what earlier runs have written where label maps are read.

    A file at or below `out` is such a picture if its name says so and the label map that it would
    be of is among the files; contact sheets are, if any picture is.

    Args:
        files: Paths of label maps.
        out: Path of the directory that pictures are written to.

    Returns:
        list of Paths, in the same order.

    >>> from pathlib import Path
    >>> names = ["a.png", "a_sample000_seed7.png", "b_sample000_seed7.png", "contact_sheet.png"]
    >>> [str(file) for file in without_own_pictures(map(Path, names), Path("."))]
    ['a.png', 'b_sample000_seed7.png']
    """
    files = list(files)
    stems = {file.stem for file in files}
    written_to = out.resolve()
    below = [file for file in files if written_to in file.resolve().parents]
    own = {file for file in below if _is_of(file.stem, stems)}
    if own:
        own |= {file for file in below if _SHEET.fullmatch(file.stem)}
    return [file for file in files if file not in own]


def _is_of(name, stems):
    return any(
        character == "_" and name[:i] in stems and _ENDING.fullmatch(name, i)
        for i, character in enumerate(name)
    )
