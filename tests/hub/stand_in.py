"""A small server that answers as the Hub's HTTP API does, in a thread of the test."""

import base64
import contextlib
import hashlib
import http.server
import json
import re
import threading
import urllib.parse

import pytest

TOKEN = "hf_good"
_LARGE = 2000  # bytes, from where on a file is uploaded through LFS
_EMPTY = {".gitattributes": b""}


class StandIn:
    """The state of the server, and what it is to do wrong.

    Attributes:
        repositories: {"USER/NAME": [(commit, {name: bytes}), ...]}, oldest first.
        tags: {"USER/NAME": {tag: commit}}.
        private: the names of private repositories.
        cut: names of files whose download ends halfway, and is refused when asked again.
        changed: {name of a file: bytes that are sent in place of its own}.
        refuse: a part of a path; requests of it are answered with 500.
        requests: list of "METHOD path", in order.
    """

    def __init__(self):
        self.repositories, self.tags, self.private = {}, {}, set()
        self.cut, self.changed, self.refuse = set(), {}, None
        self.requests, self.large = [], {}

    def commit(self, repository, files):
        """Adds a state of a repository; returns its commit."""
        states = self.repositories.setdefault(repository, [])
        seed = json.dumps([len(states), sorted((n, _sha256(c)) for n, c in files.items())])
        states.append((hashlib.sha1((repository + seed).encode()).hexdigest(), dict(files)))
        return states[-1][0]

    def newest(self, repository):
        """{name: bytes} of the newest state."""
        return self.repositories[repository][-1][1]

    def find(self, repository, revision):
        """(commit, files) of a branch, tag or commit; None if there is none."""
        states = self.repositories[repository]
        if revision == "main":
            return states[-1]
        revision = self.tags.get(repository, {}).get(revision, revision)
        return next((state for state in states if state[0] == revision), None)


@contextlib.contextmanager
def stand_in():
    """Serves a `StandIn`; yields (it, its address)."""
    state = StandIn()
    handler = type("Handler", (_Handler,), {"state": state})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A `StandIn` that huggingface_hub asks in this process, with an empty cache and a token."""
    pytest.importorskip("huggingface_hub", reason="NO HUGGINGFACE_HUB: the Hub is not tested")
    import huggingface_hub.file_download
    from huggingface_hub import constants

    with stand_in() as (state, address):
        # It reads HF_ENDPOINT and the like once, when it is imported.
        monkeypatch.setattr(constants, "ENDPOINT", address)
        monkeypatch.setattr(
            constants,
            "HUGGINGFACE_CO_URL_TEMPLATE",
            address + "/{repo_id}/resolve/{revision}/{filename}",
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        # The Hub's own protocol for large files; a library in Rust speaks it to other servers.
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(huggingface_hub.file_download.time, "sleep", lambda seconds: None)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "none"))
        yield state


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state = None

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._answer()

    def do_GET(self):
        self._answer()

    def do_POST(self):
        self._answer()

    def do_PUT(self):
        self._answer()

    def _answer(self):
        url = urllib.parse.urlsplit(self.path)
        path = urllib.parse.unquote(url.path)
        self.state.requests.append(f"{self.command} {path}")
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            self.body = b"".join(iter(self._chunk, b""))
        if self.state.refuse and self.state.refuse in path:
            return self._send(500, {"error": "out of order"})
        allowed = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        # Places for uploads are signed, and need no token.
        if self.command in ("POST", "PUT") and not allowed and not path.startswith("/lfs/"):
            return self._send(401, {"error": "Invalid username or password."})
        for pattern, answer in _ROUTES:
            if found := re.fullmatch(pattern, f"{self.command} {path}"):
                return answer(self, *found.groups())
        return self._send(404, {"error": f"no route {self.command} {path}"})

    def _chunk(self):
        size = int(self.rfile.readline(), 16)
        content = self.rfile.read(size)
        self.rfile.readline()
        return content

    def _send(self, status, content=b"", **headers):
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        headers.setdefault("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        return None

    def _state_of(self, repository, revision):
        state = self.state
        secret = repository in state.private and "Authorization" not in self.headers
        if repository not in state.repositories or secret:
            headers = {"X_Error_Code": "RepoNotFound", "X_Error_Message": "Repository not found"}
            return self._send(404, {"error": "Repository not found"}, **headers)
        found = state.find(repository, revision)
        if found is None:
            headers = {"X_Error_Code": "RevisionNotFound", "X_Error_Message": "Invalid rev id"}
            return self._send(404, {"error": "Invalid rev id"}, **headers)
        return found

    def _info(self, repository, revision="main"):
        if found := self._state_of(repository, revision):
            commit, files = found
            siblings = [{"rfilename": name} for name in files]
            private = repository in self.state.private
            about = {"id": repository, "sha": commit, "private": private, "siblings": siblings}
            self._send(200, {**about, "tags": [], "downloads": 0, "likes": 0})

    def _tree(self, repository, revision):
        if found := self._state_of(repository, revision):
            self._send(200, [_entry(name, content) for name, content in found[1].items()])

    def _file(self, repository, revision, name):
        if not (found := self._state_of(repository, revision)):
            return None
        commit, files = found
        if name not in files:
            return self._send(404, {"error": "no entry"}, X_Error_Code="EntryNotFound")
        content = files[name]
        headers = {"ETag": f'"{_oid(content)}"', "X_Repo_Commit": commit}
        content = self.state.changed.get(name, content)
        if name in self.state.cut and self.command == "GET":
            self.state.refuse = f"/{name}"
            headers["Content_Length"] = str(len(content))
            self.close_connection = True
            return self._send(200, content[: len(content) // 2], **headers)
        return self._send(200, content, **headers)

    def _check_yaml(self):
        content = json.loads(self.body)["content"]
        good = content.startswith("---\n") and "\n---\n" in content[4:]
        self._send(200 if good else 400, {"errors": [], "warnings": []})

    def _create(self):
        asked = json.loads(self.body)
        repository = f"{asked['organization']}/{asked['name']}"
        url = f"http://{self.headers['Host']}/{repository}"
        if asked["organization"] == "others":
            return self._send(403, {"error": "You don't have the rights"})
        if repository in self.state.repositories:
            return self._send(409, {"error": "You already created this model repo", "url": url})
        self.state.commit(repository, _EMPTY)
        if asked.get("visibility") == "private" or asked.get("private"):
            self.state.private.add(repository)
        return self._send(200, {"url": url, "name": repository, "id": repository})

    def _modes(self, repository, revision):
        files = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["size"] >= _LARGE else "regular",
                "shouldIgnore": False,
                "oid": None,
            }
            for file in json.loads(self.body)["files"]
        ]
        self._send(200, {"files": files})

    def _places(self, repository):
        def place(wanted):
            href = f"http://{self.headers['Host']}/lfs/{wanted['oid']}"
            return {**wanted, "actions": {"upload": {"href": href, "header": {}}}}

        objects = [place(wanted) for wanted in json.loads(self.body)["objects"]]
        self._send(200, {"transfer": "basic", "objects": objects})

    def _take(self, oid):
        good = _sha256(self.body) == oid
        if good:
            self.state.large[oid] = self.body
        self._send(200 if good else 400)

    def _commit(self, repository, revision):
        files = dict(self.state.newest(repository))
        for line in self.body.splitlines():
            operation = json.loads(line)
            kind, value = operation["key"], operation["value"]
            if kind == "header" and value.get("parentCommit") not in (
                None,
                self.state.repositories[repository][-1][0],
            ):
                return self._send(412, {"error": "A commit has happened since"})
            if kind == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif kind == "lfsFile":
                files[value["path"]] = self.state.large[value["oid"]]
            elif kind == "deletedFile":
                del files[value["path"]]
        commit = self.state.commit(repository, files)
        url = f"http://{self.headers['Host']}/{repository}/commit/{commit}"
        return self._send(200, {"success": True, "commitOid": commit, "commitUrl": url})


def _sha256(content):
    return hashlib.sha256(content).hexdigest()


def _oid(content):
    """As the Hub names content: that of git, or of LFS."""
    if len(content) >= _LARGE:
        return _sha256(content)
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _entry(name, content):
    entry = {"type": "file", "path": name, "size": len(content), "oid": _oid(content)[:40]}
    if len(content) >= _LARGE:
        entry["lfs"] = {"oid": _sha256(content), "size": len(content), "pointerSize": 130}
    return entry


_REPOSITORY = "([^/]+/[^/]+)"
_ROUTES = [
    ("POST /api/validate-yaml", _Handler._check_yaml),
    ("POST /api/repos/create", _Handler._create),
    (f"GET /api/models/{_REPOSITORY}", _Handler._info),
    (f"GET /api/models/{_REPOSITORY}/revision/(.+)", _Handler._info),
    (f"GET /api/models/{_REPOSITORY}/tree/([^/]+)/?", _Handler._tree),
    (f"(?:GET|HEAD) /{_REPOSITORY}/resolve/([^/]+)/(.+)", _Handler._file),
    (f"POST /api/models/{_REPOSITORY}/preupload/(.+)", _Handler._modes),
    (f"POST /{_REPOSITORY}.git/info/lfs/objects/batch", _Handler._places),
    ("PUT /lfs/([0-9a-f]{64})", _Handler._take),
    (f"POST /api/models/{_REPOSITORY}/commit/(.+)", _Handler._commit),
]
