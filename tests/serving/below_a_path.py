"""A proxy that puts a server below a path, as JupyterHub and an ingress do."""

import contextlib
import http.client
import http.server
import threading
import urllib.parse

_HEADERS = ("Content-Type", "Location")


@contextlib.contextmanager
def below_a_path(url, path="/user/a/proxy/8501/"):
    """Runs the proxy; all other paths are another application's.

    Args:
        url: of the server, `http://HOST:PORT`.
        path: where it is put.

    Yields:
        The URL of the server behind the proxy.
    """
    target = urllib.parse.urlsplit(url).netloc

    class Proxy(http.server.BaseHTTPRequestHandler):
        def _pass_on(self):
            if not self.path.startswith(path):
                self.send_error(404, "another application")
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with contextlib.closing(http.client.HTTPConnection(target, timeout=30)) as inner:
                inner.request(self.command, "/" + self.path.removeprefix(path), body)
                answer = inner.getresponse()
                content = answer.read()
            self.send_response(answer.status)
            for name in _HEADERS:
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _pass_on

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{path}"
    finally:
        server.shutdown()
        server.server_close()
