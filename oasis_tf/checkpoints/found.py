"""Which checkpoints a directory holds, by the names of their files."""

import re
from pathlib import Path


def checkpoints_in(directory):
    """Paths of the checkpoints, oldest first.

    TensorFlow keeps a list of them in a file `checkpoint`, which a crash can leave empty, a copy
    can leave out, and a merge can take from elsewhere. The names of the files say the same.

    Args:
        directory: Path, which need not exist.

    Returns:
        list of str, without ".index", by the number at the end of their names.
    """
    found = []
    for index in Path(directory).glob("*-*.index"):
        if match := re.fullmatch(r".+-(\d+)", index.stem):
            found.append((int(match[1]), str(index.with_suffix(""))))
    return [path for _, path in sorted(found)]
