import http.server
import io
import re
import threading
import zipfile

import numpy as np
import pytest

from data_pipeline.downloading import download as module
from data_pipeline.downloading.download import ARCHIVES, Archive, download
from data_pipeline.downloading.fetch import fetch
from data_pipeline.downloading.unpack import unpack
from data_pipeline.errors import DataError
from tests.data_pipeline.sources import write_ade20k

CONTENT = np.random.default_rng(0).bytes(100_000)


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT (or `content`) at every path; notes requests; can cut and ignore ranges."""

    content = CONTENT
    cut_after = None  # bytes of body sent before a connection is cut
    ranges = True
    status = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/a.zip"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server, first = self.server, 0
        server.asked.append(self.headers.get("Range"))
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        total = len(server.content)
        if server.status:
            return self.send_error(server.status)
        if found and server.ranges:
            first = int(found[1])
            self.send_response(206 if first < total else 416)
            last = f"{first}-{total - 1}" if first < total else "*"
            self.send_header("Content-Range", f"bytes {last}/{total}")
        else:
            self.send_response(200)
        body = server.content[first:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: server.cut_after])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr("data_pipeline.downloading.fetch.time.sleep", lambda seconds: None)
    server = Server(("127.0.0.1", 0), Handler)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_fetch(server, tmp_path):
    fetch(server.url, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert server.asked == [None] and len(list(tmp_path.iterdir())) == 1


def test_a_cut_connection_is_resumed(server, tmp_path):
    server.cut_after = 40_000
    fetch(server.url, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=40000-", "bytes=80000-"]


def test_an_earlier_part_is_continued(server, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(CONTENT[:70_000])
    fetch(server.url, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT and server.asked == ["bytes=70000-"]


@pytest.mark.parametrize("size", [100_000, 100_001])
def test_a_part_of_full_or_larger_size(server, tmp_path, size):
    (tmp_path / "a.zip.part").write_bytes((CONTENT + b"x")[:size])
    fetch(server.url, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_server_without_ranges_sends_all_again(server, tmp_path):
    server.ranges = False
    (tmp_path / "a.zip.part").write_bytes(b"old")
    fetch(server.url, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == CONTENT


def test_a_connection_cut_for_ever_keeps_what_arrived(server, tmp_path):
    (tmp_path / "a.zip.part").write_bytes(CONTENT[:10])
    server.cut_after = 0
    with pytest.raises(DataError, match=r"The same command goes on.*Received"):
        fetch(server.url, tmp_path / "a.zip")
    assert (tmp_path / "a.zip.part").read_bytes() == CONTENT[:10]
    assert not (tmp_path / "a.zip").exists()


def test_not_found_and_offline(server, tmp_path):
    server.status = 404
    with pytest.raises(DataError, match=r"127.0.0.1.*a.zip must be reachable.*404"):
        fetch(server.url, tmp_path / "a.zip")
    assert len(server.asked) == 1
    nobody = "http://127.0.0.1:9/b.zip"
    with pytest.raises(DataError, match=f"{nobody} must be reachable.*{tmp_path}/b.zip"):
        fetch(nobody, tmp_path / "b.zip")
    assert list(tmp_path.iterdir()) == []


def write_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def test_unpack_skips_what_is_there(tmp_path):
    write_zip(tmp_path / "a.zip", {"d/one": "1", "d/two": "22", "d/three": "333"})
    (tmp_path / "t/d").mkdir(parents=True)
    (tmp_path / "t/d/one").write_text("x")  # same size: kept
    (tmp_path / "t/d/two").write_text("2")  # half-written
    unpack(tmp_path / "a.zip", tmp_path / "t")
    found = {path.name: path.read_text() for path in (tmp_path / "t/d").iterdir()}
    assert found == {"one": "x", "two": "22", "three": "333"}


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "d/../../evil", ".", "\0nameless"])
def test_unpack_stays_inside(tmp_path, name):
    write_zip(tmp_path / "a.zip", {"good": "1", name.replace("\0", "?"): "2"})
    content = (tmp_path / "a.zip").read_bytes()
    # To a reader a name ends at a zero, so this one is empty.
    (tmp_path / "a.zip").write_bytes(content.replace(b"?nameless", b"\0nameless"))
    with pytest.raises(DataError, match=r"a.zip must hold files below"):
        unpack(tmp_path / "a.zip", tmp_path / "t")
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


def test_unpack_damaged(tmp_path):
    write_zip(tmp_path / "a.zip", {"one": CONTENT})
    data = (tmp_path / "a.zip").read_bytes()
    changed = bytearray(data)
    changed[50_000] ^= 255
    for content in (data[:-50], bytes(changed)):
        (tmp_path / "a.zip").write_bytes(content)
        with pytest.raises(DataError, match=r"a.zip must be a complete ZIP"):
            unpack(tmp_path / "a.zip", tmp_path / "t")
    assert not (tmp_path / "t/one").exists()


def test_download_and_build(server, run, tmp_path, monkeypatch):
    drawn = write_ade20k(tmp_path / "drawn")
    buffer = io.BytesIO()
    files = [path for path in drawn.rglob("*") if path.is_file()]
    write_zip(
        buffer, {f"ADEChallengeData2016/{p.relative_to(drawn)}": p.read_bytes() for p in files}
    )
    server.content, server.cut_after = buffer.getvalue(), len(buffer.getvalue()) // 2 + 1
    url = server.url.replace("a.zip", "ade.zip")
    monkeypatch.setitem(ARCHIVES, "ade20k", (Archive(url, "ADEChallengeData2016"),))
    code, summary, error = run("ade20k", tmp_path / "ade", tmp_path / "out", "--download")
    assert code == 0 and "2 train, 2 val" in summary, error
    assert [path.name for path in (tmp_path / "ade").iterdir()] == ["ADEChallengeData2016"]
    assert len(server.asked) == 2
    assert run("ade20k", tmp_path / "ade", tmp_path / "out", "--download")[0] == 0
    assert len(server.asked) == 2  # nothing fetched again


def test_an_archive_put_there_by_hand_is_used(tmp_path, monkeypatch):
    monkeypatch.setitem(ARCHIVES, "ade20k", (Archive("http://127.0.0.1:9/ade.zip", "ADE"),))
    write_zip(tmp_path / "ade.zip", {"ADE/one": "1"})
    download("ade20k", tmp_path)
    assert (tmp_path / "ADE/one").exists() and not (tmp_path / "ade.zip").exists()


@pytest.mark.parametrize(
    "dataset, says",
    [
        ("cityscapes", ["leftImg8bit_trainvaltest.zip", "gtFine_trainvaltest.zip", "login"]),
        ("folder", ["images/train", "labels/train", "class_names.json"]),
        ("sample", ["data_pipeline.sample --out"]),
    ],
)
def test_sets_without_open_links(run, tmp_path, dataset, says):
    code, _, error = run(dataset, tmp_path / "source", tmp_path / "out", "--download")
    assert code == 2 and all(word in error for word in [*says, str(tmp_path / "source")])
    assert list(tmp_path.iterdir()) == []


def test_archives_unpack_to_the_layout_that_is_read():
    holds = {name: {archive.holds for archive in some} for name, some in module.ARCHIVES.items()}
    assert holds["lvis"] == {
        *("annotations/lvis_v1_train.json", "annotations/lvis_v1_val.json"),
        *("train2017", "val2017"),
    }
    assert holds["ade20k"] == {"ADEChallengeData2016"}
    assert holds["coco_stuff"] == {"stuffthingmaps_trainval2017", "train2017", "val2017"}
