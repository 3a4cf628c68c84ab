"""Which split a file of an export belongs to, by the words that tools put into names."""

import re

_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def split_of_folders(path):
    """ "train", "val", "test", or None: the split that a directory of a relative path is named for.

    >>> from pathlib import PurePath
    >>> split_of_folders(PurePath("valid/_annotations.coco.json"))
    'val'
    >>> split_of_folders(PurePath("train station/a.json"))
    """
    names = (re.sub(r"\d+$", "", part.lower()) for part in path.parts[:-1])
    return next((_WORDS[name] for name in names if name in _WORDS), None)


def split_of_file(path):
    """The same, by the words of the file's own name first.

    >>> from pathlib import PurePath
    >>> split_of_file(PurePath("annotations/instances_train2017.json"))
    'train'
    """
    words = re.split(r"[^a-z]+", path.stem.lower())
    own = next((_WORDS[word] for word in reversed(words) if word in _WORDS), None)
    return own or split_of_folders(path)
