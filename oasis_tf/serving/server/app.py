"""The local server's application: REST API, editor page, metrics."""

import contextlib
import os
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.middleware.cors import CORSMiddleware

from oasis_tf.serving.server import metrics as metrics_module
from oasis_tf.serving.server.access_log import AccessLog
from oasis_tf.serving.server.batching import Batcher
from oasis_tf.serving.server.body import BodyReader
from oasis_tf.serving.server.metrics import Metrics
from oasis_tf.serving.server.rest import RestApi

PAGE = Path(__file__).parents[1] / "page"
# The page works without any other host, and may not be framed by one.
_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'"
)


@dataclass(frozen=True)
class Limits:
    """What the server takes before it refuses.

    Attributes:
        max_body_bytes: of a request.
        max_pixels: of the PNG files of one input of a request together.
        max_batch_size: rows of a joined call of the model; 1 joins nothing.
        max_queue: requests that may wait for the model.
        timeout: seconds for a body to come, and then for the answer.
    """

    max_body_bytes: int = 64 << 20
    max_pixels: int = 1 << 24
    max_batch_size: int = 16
    max_queue: int = 256
    timeout: float = 30.0


def create_app(name, versions, limits, cors_origins=()):
    """Builds the application.

    Args:
        name: the model's name.
        versions: a `VersionManager`; started and stopped with the application.
        limits: `Limits`.
        cors_origins: origins, such as "http://localhost:3000", whose pages may call the REST API
            too; "*" is all. Defaults to none.

    Returns:
        An ASGI application.
    """
    metrics = Metrics()
    batcher = Batcher(
        metrics,
        max_batch_size=limits.max_batch_size,
        max_queue=limits.max_queue,
        threads=os.cpu_count() or 1,
    )

    @contextlib.asynccontextmanager
    async def lifespan(app):
        versions.start()
        batcher.start()
        yield
        await batcher.close()
        versions.stop()

    app = FastAPI(
        lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )

    @app.api_route("/", methods=["GET", "HEAD"])
    def page(request: Request):
        if "model" not in request.query_params:
            # Relative, for a proxy may have put the page below a path that is not known here.
            return RedirectResponse(f"?model={urllib.parse.quote(name, safe='')}")
        return HTMLResponse(
            (PAGE / "index.html").read_text(encoding="utf-8"),
            headers={"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"},
        )

    @app.api_route(metrics_module.PATH, methods=["GET", "HEAD"])
    def prometheus():
        metrics.version.set(versions.current_version or 0)
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @app.exception_handler(404)
    def not_found(request, error):
        return HTMLResponse("<h1>Not Found</h1>\n", status_code=404)

    app.mount("/page", StaticFiles(directory=PAGE))
    api = RestApi(
        app,
        name=name,
        versions=versions,
        batcher=batcher,
        bodies=BodyReader(max_bytes=limits.max_body_bytes, timeout=limits.timeout),
        metrics=metrics,
        max_pixels=limits.max_pixels,
        timeout=limits.timeout,
    )
    if cors_origins:
        api = CORSMiddleware(
            api,
            allow_origins=list(cors_origins),
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["*"],
        )
    return AccessLog(api)
