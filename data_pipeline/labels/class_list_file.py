"""Class lists as people have them: names, with or without ids and colours, in JSON or in lines."""

import json
import re
from collections import Counter

from data_pipeline.errors import DataError
from data_pipeline.files import read_text

_MAX_CLASSES = 65534  # label maps are stored with 16 bits
_KEYS = ("labels", "names", "classes", "categories")
_LABEL_MAP = re.compile(r"([^:]+):\s*(?:(\d+)\s*,\s*(\d+)\s*,\s*(\d+))?\s*:[^:]*:[^:]*")
_COLOUR_FIRST = re.compile(r"(\d+)[\s,]+(\d+)[\s,]+(\d+)[\s,]+(\S.*)")
_ID_FIRST = re.compile(r"(\d+)\s*[:;,\t ]\s*(\S.*)")


def read_class_list_file(path):
    """Reads a class list. Byte order marks do not matter.

    In lines, where those that begin with "#" are comments: `NAME`; `ID: NAME`; `R G B NAME`; or
    CVAT's labelmap.txt, `NAME:R,G,B:PARTS:ACTIONS`. In JSON: a list of names, or of objects with
    "name" and perhaps "color" ([r, g, b] or "#rrggbb") and "id"; {"ID": "NAME"} or {"NAME": ID};
    any of these as "labels", "names", "classes" or "categories" of an object, as in Mapillary's
    config.

    Args:
        path: Path of the file.

    Returns:
        (names, colours, from_tool); index = id; colours is a list of (r, g, b), or None without
        any; from_tool tells that the file is a labelmap.txt, whose `background` is what nobody has
        labelled.

    Raises:
        DataError: unreadable, of no such form, ids that are not 0, 1, 2, ..., names that are not
            distinct, or only some with colours.
    """
    if path.suffix.lower() in (".yaml", ".yml"):
        raise DataError(f"{path}: a class list must be a JSON or text file. Received: YAML")
    try:
        text = read_text(path)
        entries = _entries_of_json(path, text)
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} must be a readable class list. Received: {error}") from None
    if entries is None:
        lines = [line.strip() for line in text.splitlines()]
        lines = [line for line in lines if line and not line.startswith("#")]
        entries = _of_lines(lines, path)
        from_tool = all(map(_LABEL_MAP.fullmatch, lines))
    else:
        entries, from_tool = _of_json(entries, path), False
    if not 0 < len(entries) <= _MAX_CLASSES:
        raise DataError(f"{path} must list the classes, one at least. Received: {text[:80]!r}")
    return *_checked(entries, path), from_tool


def _entries_of_json(path, text):
    """The content of a JSON file, whatever its suffix; None for lines."""
    json_file = path.suffix.lower() == ".json"
    if not json_file and text.lstrip()[:1] not in ("[", "{"):
        return None
    try:
        return json.loads(text)
    except ValueError:
        if json_file:
            raise
        return None


def _of_lines(lines, path):
    """[(id or None, name, colour or None)] of lines."""
    matches = [_LABEL_MAP.fullmatch(line) for line in lines]
    if lines and all(matches):
        return [(None, name.strip(), _numbers(rgb)) for name, *rgb in (m.groups() for m in matches)]
    matches = [_COLOUR_FIRST.fullmatch(line) for line in lines]
    if lines and all(matches):
        return [(None, name, _numbers(rgb)) for *rgb, name in (m.groups() for m in matches)]
    matches = [_ID_FIRST.fullmatch(line) for line in lines]
    if lines and all(matches):
        return [(int(number), name, None) for number, name in (m.groups() for m in matches)]
    strange = [line for line in lines if _LABEL_MAP.fullmatch(line) or re.match(r"\d+\s*:", line)]
    if strange:
        raise DataError(
            f"{path}: all lines must have one form (NAME, ID: NAME, R G B NAME, or "
            f"NAME:R,G,B:PARTS:ACTIONS). Received: {len(strange)} of {len(lines)} like "
            f"{strange[0]!r}, others not"
        )
    return [(None, line, None) for line in lines]


def _of_json(content, path):
    """[(id or None, name, colour or None)] of a JSON value."""
    if isinstance(content, dict):
        inner = next(
            (content[key] for key in _KEYS if isinstance(content.get(key), list | dict)), None
        )
        if inner is not None:
            return _of_json(inner, path)
        if content and all(key.strip().isdecimal() for key in content):
            return [_entry(int(key), name, path) for key, name in content.items()]
        if content and all(type(value) is int for value in content.values()):
            return [(number, name, None) for name, number in content.items()]
    if not isinstance(content, list):
        return []
    entries = [_entry(None, entry, path) for entry in content]
    readable = [entry.get("readable") if isinstance(entry, dict) else None for entry in content]
    # Mapillary's names such as "object--bird" are for machines.
    if all(isinstance(name, str) for name in readable) and len({*readable}) == len(readable):
        entries = [(i, name, c) for (i, _, c), name in zip(entries, readable, strict=True)]
    return entries


def _entry(number, entry, path):
    mapping = entry if isinstance(entry, dict) else {"name": entry}
    name, colour = mapping.get("name"), mapping.get("color", mapping.get("colour"))
    if isinstance(colour, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        colour = [*bytes.fromhex(colour[1:])]
    number = mapping.get("id", number)
    good = isinstance(name, str) and (colour is None or _is_colour(colour))
    if not good or not (number is None or type(number) is int):
        raise DataError(
            f'{path} must hold names only, or {{"name": ..., "color": [r, g, b]}} only. '
            f"Received: {entry!r}"
        )
    return number, name.strip(), colour and tuple(colour)


def _checked(entries, path):
    """(names, colours) by id, once nothing contradicts."""
    numbers = [number for number, _, _ in entries if number is not None]
    if numbers:
        if sorted(numbers) != list(range(len(entries))):
            raise DataError(
                f"{path}: ids must be 0 to {len(entries) - 1}, each once (a name for every id in "
                f"the label maps, that of unlabelled pixels too). Received: {_in_short(numbers)}"
            )
        entries = sorted(entries, key=lambda entry: entry[0])
    names = [name for _, name, _ in entries]
    colours = [colour for _, _, colour in entries]
    for name, count in Counter(names).items():
        if count > 1 or not name:
            raise DataError(f"{path}: names must be distinct. Received: {name!r} {count} times")
    if all(colour is None for colour in colours):
        return names, None
    without = [name for name, colour in zip(names, colours, strict=True) if colour is None]
    if without:
        raise DataError(
            f"{path} must hold names only, or a colour of three numbers in 0..255 for each. "
            f"Received: none for {without[0]!r}"
        )
    wrong = next((colour for colour in colours if not _is_colour(list(colour))), None)
    if wrong:
        raise DataError(f"{path}: a colour must be of numbers in 0..255. Received: {wrong}")
    return names, colours


def _numbers(parts):
    return None if parts[0] is None else tuple(map(int, parts))


def _in_short(numbers):
    return ", ".join(map(str, numbers[:10])) + (", ..." if len(numbers) > 10 else "")


def _is_colour(value):
    channels = value if isinstance(value, list) else []
    return len(channels) == 3 and all(type(c) is int and 0 <= c <= 255 for c in channels)
