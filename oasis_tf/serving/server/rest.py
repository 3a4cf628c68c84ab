"""The REST API of TensorFlow Serving under /v1/: addresses to calls, errors to answers."""

import asyncio
import json
import logging
import re
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from oasis_tf.serving.server.errors import ApiError, bad_request
from oasis_tf.serving.server.picture_limit import check_pictures
from oasis_tf.serving.server.predict import parse_request, read_inputs, write_outputs

_LOG = logging.getLogger("oasis_tf.serving")
_PREFIX = "/v1/"
_MODEL = r"(?i:/v1/models/)(?P<name>[^/:]+)"
_CHOICE = r"(?:(?i:/versions/)(?P<version>\d+)|(?i:/labels/)(?P<label>[^/:]+))?"
_GET = re.compile(rf"{_MODEL}{_CHOICE}(?P<metadata>(?i:/metadata))?", re.ASCII)
_POST = re.compile(rf"{_MODEL}{_CHOICE}:(?P<verb>predict|classify|regress)", re.ASCII)
_INT64_MAX = 2**63 - 1
_JSON_THREADS = 4


@dataclass(frozen=True)
class _Target:
    """What an address names."""

    name: str
    version: int | None
    label: str | None
    what: str  # status, metadata, predict, classify or regress


class RestApi:
    """ASGI application for what lies under /v1/; hands everything else on.

    Args:
        app: the ASGI application of all other paths.
        name: the model's name.
        versions: `VersionManager`.
        batcher: `Batcher`.
        bodies: `BodyReader`.
        metrics: `Metrics`.
        max_pixels: of the PNG files of one input of a request together.
        timeout: seconds in which a call must be answered.
    """

    def __init__(self, app, *, name, versions, batcher, bodies, metrics, max_pixels, timeout):
        self._app = app
        self._name = name
        self._versions = versions
        self._batcher = batcher
        self._bodies = bodies
        self._metrics = metrics
        self._max_pixels = max_pixels
        self._timeout = timeout
        # Reading and writing JSON of megabytes would keep all other clients waiting.
        self._json_threads = ThreadPoolExecutor(_JSON_THREADS, thread_name_prefix="json")

    async def __call__(self, scope, receive, send):
        """ASGI."""
        if scope["type"] != "http" or not _address(scope).lower().startswith(_PREFIX):
            await self._app(scope, receive, send)
            return
        self._metrics.in_flight.inc()
        try:
            status, body = await self._answer(scope, receive)
        except ConnectionError:
            scope["log"]["status"] = 499
            self._metrics.requests.labels("499").inc()
            return
        finally:
            self._metrics.in_flight.dec()
        self._metrics.requests.labels(str(status)).inc()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        if status in (408, 413):  # the rest of the body is not wanted
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope, receive):
        """(HTTP status, body)."""
        log = scope["log"]
        try:
            if scope["method"] == "OPTIONS":
                return self._options(scope)
            target = _parse_address(scope["method"], _address(scope))
            if target.what in ("status", "metadata"):
                return 200, _pretty(getattr(self, f"_{target.what}")(target))
            return 200, await self._predict(target, scope, receive, log)
        except ApiError as error:
            log["error"] = error.message
            return error.status, _pretty({"error": error.message})
        except ConnectionError:
            raise
        except Exception as error:
            _LOG.exception("while answering %s", _address(scope))
            log["error"] = repr(error)
            return 500, _pretty({"error": f"internal error: {type(error).__name__}"})

    def _options(self, scope):
        origin = dict(scope["headers"]).get(b"origin", b"")
        if not origin.startswith((b"http://", b"https://")):
            raise bad_request("Malformed request: OPTIONS without an http(s) Origin")
        return 200, b""

    def _check_name(self, target):
        if target.name != self._name:
            raise ApiError(404, f"there is no model {target.name!r}; this is {self._name!r}")

    def _check_label(self, target):
        if target.label is not None:
            raise bad_request(f"the model has no version with the label {target.label!r}")

    def _status(self, target):
        self._check_name(target)
        return {"model_version_status": self._versions.status(target.version)}

    def _metadata(self, target):
        self._check_name(target)
        self._check_label(target)
        servable = self._versions.get(target.version)
        return {
            "model_spec": {
                "name": self._name,
                "signature_name": "",
                "version": str(servable.version),
            },
            "metadata": {"signature_def": servable.metadata},
        }

    async def _predict(self, target, scope, receive, log):
        async with self._bodies.read(dict(scope["headers"]), receive) as body:
            log["bytes_in"] = len(body)
            start = time.perf_counter()
            work = _unless_gone(receive, self._compute(target, body, log))
            try:
                answer = await asyncio.wait_for(work, self._timeout)
            except asyncio.TimeoutError:
                raise ApiError(504, f"no answer within {self._timeout:g} s") from None
            self._metrics.seconds.observe(time.perf_counter() - start)
            return answer

    async def _compute(self, target, body, log):
        request, signature_name = await self._in_thread(parse_request, body)
        self._check_name(target)
        self._check_label(target)
        servable = self._versions.get(target.version)
        log["version"] = servable.version
        if target.what != "predict":
            raise ApiError(501, f"{target.what} is not implemented; use predict")
        signature = servable.signature(signature_name)
        log["signature"] = signature.name
        inputs, row = await self._in_thread(read_inputs, request, signature.dtypes)
        check_pictures(inputs, self._max_pixels)
        outputs = await self._batcher.run(servable, signature, inputs)
        return await self._in_thread(write_outputs, outputs, row)

    async def _in_thread(self, function, *arguments):
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._json_threads, function, *arguments)


async def _unless_gone(receive, work):
    """Awaits `work`, unless the client hangs up first."""
    work = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(receive())
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise ConnectionError
        return work.result()
    finally:
        work.cancel()
        gone.cancel()


def _address(scope):
    """The path as it was sent, with the query string, which counts as part of it."""
    path = scope["raw_path"].decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


def _parse_address(method, address):
    # Of the answer to HEAD, uvicorn sends the headers only.
    pattern = {"GET": _GET, "HEAD": _GET, "POST": _POST}.get(method)
    match = pattern and pattern.fullmatch(address)
    if not match:
        raise bad_request(f"Malformed request: {method} {address}")
    found = match.groupdict()
    version = found["version"] and int(found["version"])
    if version is not None and version > _INT64_MAX:
        raise bad_request(f"Malformed request: {version} is no version number")
    what = found.get("verb") or ("metadata" if found.get("metadata") else "status")
    label = found["label"] and urllib.parse.unquote(found["label"])
    return _Target(urllib.parse.unquote(found["name"]), version, label, what)


def _pretty(answer):
    return (json.dumps(answer, indent=4) + "\n").encode()
