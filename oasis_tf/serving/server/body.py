"""Reads request bodies within limits of size, time and memory."""

import asyncio
import contextlib
import zlib

from oasis_tf.serving.server.errors import ApiError, bad_request

# Bodies in memory, all together, in multiples of the largest one allowed.
_BUDGET = 4
# A client that is still sending sees no answer, so this much of a long body is read and dropped.
_DRAIN = 4


class BodyReader:
    """Reads the bodies of all requests.

    Args:
        max_bytes: of one body, before and after decompression.
        timeout: seconds in which a body must have come.
    """

    def __init__(self, *, max_bytes, timeout):
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._free = _BUDGET * max_bytes

    @contextlib.asynccontextmanager
    async def read(self, headers, receive):
        """Reads one body, which counts as in memory until the context is left.

        Args:
            headers: dict of bytes, lower-case names.
            receive: ASGI's.

        Yields:
            bytes, decompressed where the request says gzip.

        Raises:
            ApiError: 413 too long, 408 too slow, 503 too many bodies at once, 400 not gzip, 415
                another encoding.
            ConnectionError: the client is gone.
        """
        held = 0

        def hold(size):
            nonlocal held
            if size > self._free:
                raise ApiError(503, "the server is busy: it is reading too many requests")
            held += size
            self._free -= size

        try:
            try:
                body = await asyncio.wait_for(
                    self._collect(headers, receive, hold), timeout=self._timeout
                )
            except asyncio.TimeoutError:
                raise ApiError(408, f"the body did not come within {self._timeout:g} s") from None
            encoding = headers.get(b"content-encoding", b"").strip().lower()
            if encoding == b"gzip":
                body = self._decompress(body)
                hold(len(body))
            elif encoding not in (b"", b"identity"):
                raise ApiError(
                    415,
                    "the body's Content-Encoding must be gzip, or there must be none. "
                    f"Received: {encoding.decode('latin-1')}",
                )
            yield body
        finally:
            self._free += held

    async def _collect(self, headers, receive, hold):
        length = headers.get(b"content-length", b"0")
        if b"expect" in headers and length.isdigit() and int(length) > self._max_bytes:
            raise self._too_long()  # it asked before sending
        chunks, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionError
            chunk, more = message.get("body", b""), message.get("more_body", False)
            size += len(chunk)
            if size > _DRAIN * self._max_bytes:
                break
            if size <= self._max_bytes:
                hold(len(chunk))
                chunks.append(chunk)
            else:
                chunks.clear()
        if size > self._max_bytes:
            raise self._too_long()
        return b"".join(chunks)

    def _decompress(self, body):
        decoder = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        try:
            plain = decoder.decompress(body, self._max_bytes + 1)
        except zlib.error as error:
            raise bad_request(f"the body is not gzip: {error}") from None
        if len(plain) > self._max_bytes:
            raise self._too_long()
        if not decoder.eof:
            raise bad_request("the body is not gzip: it ends too early")
        return plain

    def _too_long(self):
        return ApiError(413, f"the body must be at most {self._max_bytes} bytes")
