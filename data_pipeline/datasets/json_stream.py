"""Lists of a JSON file, entry by entry: annotation files are larger than a laptop's memory."""

import json

from data_pipeline.errors import DataError

_CHUNK = 16 << 20  # bytes read at a time
_LARGEST_ENTRY = 1 << 28  # bytes; one picture's annotations, not a data set's


def stream_lists(path, visit):
    """Reads a JSON object and hands over the entries of some of its lists, one after the other.

    No more than a piece of the file and one entry is in memory at a time.

    Args:
        path: Path of a UTF-8 file that holds one JSON object.
        visit: {key of the object: function of (entry, start, stop)}; the entry is a dict, its JSON
            are the bytes from `start` to `stop` of the file. Entries come in file order, the lists
            as the file has them.

    Raises:
        DataError: the file cannot be read, is no JSON object, lacks one of the lists, or one holds
            something else than objects.
    """
    seen = set()
    try:
        with open(path, "rb") as file:
            text = _Text(file)
            text.expect("{")
            if text.next() == "}":
                text.expect("}")
            else:
                while True:
                    key = text.value()[0]
                    if not isinstance(key, str):
                        raise ValueError("a key must be a string")
                    text.expect(":")
                    if key in visit and text.next() == "[":
                        if key in seen:
                            raise ValueError(f"{key!r} is there twice")
                        seen.add(key)
                        _entries(text, key, visit[key], path)
                    else:
                        text.value()
                    if text.expect(",}") == "}":
                        break
            if text.next() is not None:
                raise ValueError("more text behind the end")
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise DataError(
            f"{path} must be a readable JSON file. Received: {_reason(error)}"
        ) from None
    for key in visit:
        if key not in seen:
            raise DataError(f"{path} must hold a list of objects {key!r}. Received: none")


def _entries(text, key, visit, path):
    text.expect("[")
    if text.next() == "]":
        text.expect("]")
        return
    while True:
        entry, start, stop = text.value()
        if not isinstance(entry, dict):
            raise DataError(
                f"{path} must hold a list of objects {key!r}. Received: {repr(entry)[:80]} in it"
            )
        visit(entry, start, stop)
        if text.expect(",]") == "]":
            return


def _reason(error):
    return str(error) or type(error).__name__


class _Text:
    """The file's text, of which a piece is in memory.

    Decoded as Latin-1, so that a character is a byte: everything that JSON's grammar is made of
    is ASCII. Values that hold other characters are decoded again.
    """

    _space = " \t\n\r"

    def __init__(self, file):
        self._file = file
        self._decoder = json.JSONDecoder()
        self._text = file.read(max(_CHUNK, 3)).decode("latin-1")
        self._at = 0  # in the text
        self._offset = 0  # of the text in the file
        self._ended = False
        if self._text.startswith("\xef\xbb\xbf"):  # a byte order mark
            self._at = 3
        elif self._text.startswith(("\xff\xfe", "\xfe\xff", "\0")):
            raise ValueError("its text is not UTF-8")

    def next(self):
        """The next character that is no space, which stays; None at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in self._space:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return None
            self._more(_CHUNK)

    def expect(self, characters):
        """Takes the next character, which must be one of these."""
        character = self.next()
        if character is None or character not in characters:
            wanted = " or ".join(characters)
            found = "the end" if character is None else repr(character)
            raise ValueError(f"{found} at byte {self._offset + self._at}, not {wanted}")
        self._at += 1
        return character

    def value(self):
        """Takes the next value; returns it, and where its bytes begin and end in the file."""
        if self.next() is None:
            raise ValueError("the file ends too early")
        size = _CHUNK
        while True:
            try:
                value, stop = self._decoder.raw_decode(self._text, self._at)
                # What reaches the end may go on in the rest of the file, as 12 of 123 does.
                if stop < len(self._text) or self._ended:
                    break
            except json.JSONDecodeError as error:
                if self._ended:
                    place = self._offset + error.pos
                    raise ValueError(f"{error.msg} at byte {place}; cut short?") from None
            self._more(size)
            size = min(2 * size, _LARGEST_ENTRY)  # so that a long value is not read too often
        piece = self._text[self._at : stop]
        if not piece.isascii():
            value = json.loads(piece.encode("latin-1").decode("utf-8"))
        start, self._at = self._at, stop
        return value, self._offset + start, self._offset + stop

    def _more(self, size):
        """Reads on, and forgets what has been taken."""
        if len(self._text) - self._at > _LARGEST_ENTRY:
            raise ValueError(
                f"the value at byte {self._offset + self._at} is malformed, or longer than "
                f"{_LARGEST_ENTRY >> 20} MiB"
            )
        piece = self._file.read(size).decode("latin-1")
        self._text = self._text[self._at :] + piece
        self._offset += self._at
        self._at = 0
        self._ended = not piece
