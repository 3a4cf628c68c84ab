"""Which class of a data set a segmenter's class is, by their names as people write them."""

import re


def match_names(theirs, ours):
    """Finds each of the segmenter's classes among those of the data set.

    Names are compared letter by letter; then without regard to capitals, spaces, underscores and
    hyphens; then the first of alternatives with commas between ("wall, walls", as ADE20K has them);
    then all alternatives. What fits better is taken first, and a name that could be two classes is
    none.

    Args:
        theirs: C names by output channel, None for what the data set has not.
        ours: names of the data set's classes.

    Returns:
        list of C indices into `ours`, None where there is no such class.

    >>> match_names(["Traffic_light", "wall, walls", None, "hill"], ["wall", "traffic light"])
    [1, 0, None, None]
    """
    found = [None] * len(theirs)
    for forms in (_exact, _whole, _first, _every):
        places = {}
        for index, name in enumerate(ours):
            if index not in found:
                for form in forms(name):
                    places.setdefault(form, set()).add(index)
        claims = {}
        for channel, name in enumerate(theirs):
            if name is None or found[channel] is not None:
                continue
            fitting = set().union(*(places.get(form, ()) for form in forms(name)))
            if len(fitting) == 1:
                claims.setdefault(fitting.pop(), []).append(channel)
        for index, channels in claims.items():
            # Of one name there may be several channels; two that only share an alternative differ.
            if len(channels) == 1 or forms is not _every:
                for channel in channels:
                    found[channel] = index
    return found


def _exact(name):
    return [name]


def _whole(name):
    return [" ".join(re.split(r"[\s_-]+", name.casefold().strip()))]


def _first(name):
    return _every(name)[:1]


def _every(name):
    parts = [_whole(part)[0] for part in re.split("[,;]", name)]
    return [part for part in parts if part]
