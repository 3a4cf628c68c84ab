"""`label_colors.txt`: which labels an export in Cityscapes' layout really has.

CVAT and datumaro write it beside `gtFine/`, and number the labels in labelIds by their position in
it: sky may be 1 there, which is "ego vehicle" of Cityscapes.
"""

from data_pipeline.datasets.class_table import class_table
from data_pipeline.datasets.problems import raise_all
from data_pipeline.errors import DataError
from data_pipeline.files import read_text

_BACKGROUND = "background"
_BLACK = (0, 0, 0)


def read_label_colors(path):
    """Reads the labels by their position, which is their id in labelIds.

    A line is "R G B NAME" or only "NAME". Without a black label, position 0 is "background",
    whether that is listed or not.

    Args:
        path: Path of the file.

    Returns:
        (names, colours), one for each id; colours is None if the file has none.

    Raises:
        DataError: unreadable or malformed, or the first label is a class: what nobody has labelled
            could not be told from it.
    """
    try:
        lines = read_text(path).splitlines()
    except (OSError, ValueError) as error:
        raise DataError(f"{path} must be a readable text file. Received: {error}") from None
    names, colours = [], []
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        *colour, name = line.split(None, 3)
        if len(colour) == 3 and all(c.isdecimal() and int(c) < 256 for c in colour):
            colours.append(tuple(map(int, colour)))
            names.append(name.strip())
        else:
            names.append(line.strip())
    if _BLACK not in colours:
        if _BACKGROUND in names and colours:
            del colours[names.index(_BACKGROUND) : names.index(_BACKGROUND) + 1]
        names = [_BACKGROUND, *(name for name in names if name != _BACKGROUND)]
        colours = [_BLACK, *colours] if colours else None
    problems = [f"{path}: names must be distinct: {n!r} twice" for n in _twice(names)]
    if len(names) == 1:
        problems.append(f"{path}: labels must be listed: none")
    if colours is not None and len(colours) != len(names):
        problems.append(f"{path}: all lines must be 'R G B NAME', or none of them")
    elif class_table(names)[1][0] != 0:
        problems.append(f"{path}: the first label must be the background: {names[0]!r}")
    raise_all(problems)
    return tuple(names), colours and tuple(colours)


def _twice(names):
    return [name for name in dict.fromkeys(names) if names.count(name) > 1]
