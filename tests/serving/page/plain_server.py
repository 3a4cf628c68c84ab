"""A server of files, as `python -m http.server` is."""

import contextlib
import functools
import http.server
import threading

# Headers with which browsers allow a page threads.
ISOLATED = {
    "Cross_Origin_Opener_Policy": "same-origin",
    "Cross_Origin_Embedder_Policy": "require-corp",
}


@contextlib.contextmanager
def plain_server(directory, **headers):
    """Serves a directory.

    Args:
        directory: of `index.html`.
        **headers: more headers of every answer, with _ for -.

    Yields:
        its address, "http://127.0.0.1:PORT/".
    """

    class Handler(http.server.SimpleHTTPRequestHandler):
        def end_headers(self):
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            super().end_headers()

        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=str(directory))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
