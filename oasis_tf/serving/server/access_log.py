"""One line of JSON for each request, and for everything else the server has to say."""

import json
import logging
import time

_LOG = logging.getLogger("oasis_tf.serving.access")


class AccessLog:
    """ASGI application around another that logs what it answers.

    What the inner application puts into the dict `scope["log"]` is logged too.

    Args:
        app: the ASGI application.
    """

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["log"] = {}
        status, sent = 499, 0  # 499: the client went away before the answer
        start = time.perf_counter()

        async def counting_send(message):
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, counting_send)
        except Exception:
            status = 500
            raise
        finally:
            client = scope["client"] or ("", 0)
            fields = {
                "client": client[0],
                "method": scope["method"],
                "path": scope["raw_path"].decode("latin-1"),
                "status": status,
                "ms": round(1000 * (time.perf_counter() - start), 1),
                "bytes_out": sent,
                **scope["log"],
            }
            _LOG.info("request", extra={"fields": fields})


class JsonFormatter(logging.Formatter):
    """Writes a log record as one JSON object."""

    def format(self, record):
        """The record's time, level, message and `fields`, as a line of JSON."""
        content = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{record.msecs:03.0f}",
            "level": record.levelname,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            content["traceback"] = self.formatException(record.exc_info)
        return json.dumps(content)
