"""Lists of a JSON file, entry by entry: annotation files are larger than a laptop's memory."""

import json

import msgspec

from data_pipeline.errors import DataError

_CHUNK = 1 << 20  # bytes read at a time; they fit into a processor's cache
_LARGEST_ENTRY = 1 << 28  # bytes; one picture's annotations, not a data set's
_USUAL_ENTRY = 1 << 16  # bytes; larger ones take longer to find the end of
_LONGEST_KEY = 100  # bytes; after longer ones entries are read with less haste
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)


def stream_lists(path, visit):
    """Reads a JSON object and hands over the entries of some of its lists, one after the other.

    No more than a piece of the file and one entry is in memory at a time.

    Args:
        path: Path of a UTF-8 file that holds one JSON object.
        visit: {key of the object: (type of the list's entries, function of (entry, start, stop))}.
            The type is dict or a `msgspec.Struct`, whose fields take any values; the entry's JSON
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
                    key = text.value()
                    if not isinstance(key, str):
                        raise ValueError("a key must be a string")
                    text.expect(":")
                    if key in visit and text.next() == "[":
                        if key in seen:
                            raise ValueError(f"{key!r} is there twice")
                        seen.add(key)
                        _entries(text, key, *visit[key], path)
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


def _entries(text, key, kind, visit, path):
    text.expect("[")
    if text.next() == "]":
        text.expect("]")
        return
    for entry in text.entries(msgspec.json.Decoder(kind).decode):
        if entry is None:
            raise DataError(
                f"{path} must hold a list of objects {key!r}. "
                f"Received: {repr(text.value())[:80]} in it"
            )
        visit(*entry)


def _reason(error):
    return str(error) or type(error).__name__


class _Text:
    """The file's text, of which a piece is in memory."""

    _space = b" \t\n\r"

    def __init__(self, file):
        self._file = file
        self._decoder = json.JSONDecoder()
        self._text = file.read(max(_CHUNK, 3))
        self._at = 0  # in the text
        self._offset = 0  # of the text in the file
        self._ended = False
        if self._text.startswith(b"\xef\xbb\xbf"):  # a byte order mark
            self._at = 3
        elif self._text.startswith((b"\xff\xfe", b"\xfe\xff", b"\0")):
            raise ValueError("its text is not UTF-8")

    def next(self):
        """The next character that is no space, which stays; None at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in self._space:
                self._at += 1
            if self._at < len(self._text):
                return chr(self._text[self._at])
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
        """Takes the next value."""
        if self.next() is None:
            raise ValueError("the file ends too early")
        return self._take(self._stop(), msgspec.json.decode)

    def entries(self, decode):
        """Takes the entries of a list up to its end.

        To find the end of an entry takes longer than to decode it. Entries mostly begin alike, so
        the beginning of the next tells it. Where it does not, what lies before cannot be decoded,
        for a part of an object is none.

        Args:
            decode: function of JSON.

        Yields:
            (what `decode` makes of an object, where its bytes begin and end in the file); None in
            the place of another value, which stays.
        """
        # The end of an entry and the beginning of another, such as '}, {"id"', and how far apart.
        seam, gap = None, 0
        while True:
            if len(self._text) - self._at < _USUAL_ENTRY and not self._ended:
                self._more(_CHUNK)
            # Names of this function, for these lines are run a million times.
            text, offset, start = self._text, self._offset, self._at
            last = len(text) - (0 if self._ended else _USUAL_ENTRY)
            while seam is not None and start <= last:
                stop = text.find(b"}", start) + 1
                if not text.startswith(seam, stop - 1):  # of an object within the entry
                    stop = text.find(seam, start, start + _USUAL_ENTRY) + 1
                try:
                    value = decode(text[start:stop])
                except _UNREADABLE:
                    seam = None
                else:
                    yield value, offset + start, offset + stop
                    start = stop + gap
            self._at = start
            if seam is not None:
                continue
            if self.next() != "{":
                yield None
            stop = self._stop()
            start = self._at
            value = self._take(stop, decode)
            yield value, self._offset + start, (end := self._offset + stop)
            if self.expect(",]") == "]":
                return
            if self.next() == "{" and end >= self._offset:
                stop = end - self._offset
                gap = self._at - stop
                colon = self._text.find(b":", self._at, self._at + _LONGEST_KEY)
                seam = b"}" + self._text[stop:colon] if colon > 0 else None

    def _take(self, stop, decode):
        try:
            value = decode(memoryview(self._text)[self._at : stop])
        except _UNREADABLE as error:
            place = self._offset + self._at
            raise ValueError(f"in the value at byte {place}: {error}") from None
        self._at = stop
        return value

    def _stop(self):
        """The end of the next value."""
        size = min(_USUAL_ENTRY, _LARGEST_ENTRY)
        while True:
            if self._at + size > len(self._text) and not self._ended:
                self._more(size)
            # As Latin-1, so that a character is a byte: all of JSON's grammar is ASCII.
            piece = self._text[self._at : self._at + size].decode("latin-1")
            whole = self._ended and self._at + size >= len(self._text)
            try:
                stop = self._decoder.raw_decode(piece)[1]
                # What reaches the end may go on in the rest of the file, as 12 of 123 does.
                if stop < len(piece) or whole:
                    return self._at + stop
            except json.JSONDecodeError as error:
                if whole:
                    place = self._offset + self._at + error.pos
                    raise ValueError(f"{error.msg} at byte {place}; cut short?") from None
            if size == _LARGEST_ENTRY:
                raise ValueError(
                    f"the value at byte {self._offset + self._at} is malformed, or longer than "
                    f"{_LARGEST_ENTRY >> 20} MiB"
                )
            size = min(2 * size, _LARGEST_ENTRY)  # doubled, so that it is not read too often

    def _more(self, size):
        """Reads on, and forgets what has been taken."""
        piece = self._file.read(size)
        self._text = self._text[self._at :] + piece
        self._offset += self._at
        self._at = 0
        self._ended = not piece
