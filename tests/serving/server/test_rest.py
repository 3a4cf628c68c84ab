"""The API against a server in a process of its own, call by call as TensorFlow Serving has it."""

import base64
import contextlib
import gzip
import json
import socket
import threading
import time
import urllib.parse
import zlib

import numpy as np
import pytest

MODEL = "/v1/models/toy"


def get(server, path, **headers):
    status, answer_headers, body = server.request("GET", path, headers=headers)
    assert answer_headers["content-type"] == "application/json"
    return status, json.loads(body)


def error_of(answer):
    assert list(answer) == ["error"] and isinstance(answer["error"], str) and answer["error"]
    return answer["error"]


class TestAddresses:
    @pytest.mark.parametrize(
        "path",
        [
            "/v1/models/toy",
            "/v1/models/toy/versions/2",
            "/v1/models/toy/versions/0002",
            "/v1/models/t%6Fy",
            "/V1/MODELS/toy",
            # The status of a label is the status of all versions, whatever the label.
            "/v1/models/toy/labels/stable",
        ],
    )
    def test_status(self, server, path):
        status, answer = get(server, path)
        assert status == 200
        assert answer["model_version_status"][0] == {
            "version": "2",
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }

    @pytest.mark.parametrize("version", ["", "/versions/2"])
    def test_metadata(self, server, version):
        status, answer = get(server, f"{MODEL}{version}/metadata")
        assert status == 200
        assert answer["model_spec"] == {"name": "toy", "signature_name": "", "version": "2"}
        signatures = answer["metadata"]["signature_def"]["signature_def"]
        default = signatures["serving_default"]
        assert default["method_name"] == "tensorflow/serving/predict"
        assert default["defaults"] == {}
        x = default["inputs"]["x"]
        assert x["dtype"] == "DT_FLOAT" and x["name"].endswith(":0")
        assert x["tensor_shape"] == {
            "dim": [{"size": "-1", "name": ""}, {"size": "1", "name": ""}],
            "unknown_rank": False,
        }
        unknown = signatures["int64"]["inputs"]["x"]["tensor_shape"]
        assert unknown == {"dim": [], "unknown_rank": True}

    @pytest.mark.parametrize(
        "path",
        [
            "/v1/models/other",
            "/v1/models/other/versions/2",
            "/v1/models/toy%2F..",
            "/v1/models/..%2F..%2Fetc%2Fpasswd",
            "/v1/models/toy/versions/3",
            "/v1/models/toy/versions/9223372036854775807/metadata",
            "/v1/models/other/metadata",
            # The query string counts as part of the name.
            "/v1/models/toy?a=1",
        ],
    )
    def test_not_found(self, server, path):
        status, answer = get(server, path)
        assert status == 404
        error_of(answer)

    @pytest.mark.parametrize(
        "path",
        [
            "/v1/",
            "/v1/models",
            "/v1/models/",
            "/v1/models/toy/",
            "/v1/models/toy:predict",
            "/v1/models/toy/version/2",
            "/v1/models/toy/versions/two",
            "/v1/models/toy/versions/-2",
            "/v1/models/toy/versions/2/",
            "/v1/models/toy/versions/99999999999999999999",
            "/v1/models/toy/versions/2/labels/stable",
            "/v1/models/toy/metadata/",
            "/v1/models/toy/metadata?a=1",
            "/v1/models/toy/../toy",
            "/v1/models/toy/labels/unknown/metadata",
            "/v1/models/toy/labels/..%2F..%2Fetc/metadata",
        ],
    )
    def test_malformed_get(self, server, path):
        status, answer = get(server, path)
        assert status == 400
        error_of(answer)

    @pytest.mark.parametrize(
        "path",
        [
            MODEL,
            f"{MODEL}/metadata",
            f"{MODEL}:PREDICT",
            f"{MODEL}:other",
            f"{MODEL}:predict/",
            f"{MODEL}:predict?a=1",
            f"{MODEL}/versions/2:predict:predict",
            f"{MODEL}/labels/stable:predict",
        ],
    )
    def test_malformed_post(self, server, path):
        status, answer = server.predict({"instances": [[1.0]]}, path)
        assert status == 400
        error_of(answer)

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
    def test_other_methods(self, server, method):
        status, headers, body = server.request(method, MODEL)
        assert status == 400 and headers["content-type"] == "application/json"
        error_of(json.loads(body))

    @pytest.mark.parametrize(
        "path", [MODEL, f"{MODEL}/metadata", "/?model=toy", "/monitoring/prometheus/metrics"]
    )
    def test_head(self, server, path):
        status, headers, body = server.request("HEAD", path)
        assert (status, body) == (200, b"")
        assert headers["content-type"] == server.request("GET", path)[1]["content-type"]
        assert server.request("HEAD", f"{MODEL}:predict")[0] == 400

    def test_the_page_is_led_to_by_a_relative_address(self, server):
        status, headers, _ = server.request("GET", "/")
        assert status == 307 and headers["location"] == "?model=toy"

    def test_options_with_an_origin(self, server):
        assert server.request("OPTIONS", MODEL, headers={"Origin": "http://a.b"})[0] == 200
        assert server.request("OPTIONS", MODEL, headers={"Origin": "file://a"})[0] == 400

    @pytest.mark.parametrize("origin", ["http://localhost:3000", "https://a.b"])
    def test_a_page_of_another_origin(self, server, origin):
        headers = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type, content-encoding",
        }
        path = f"{MODEL}:predict"
        status, answer, _ = server.request("OPTIONS", path, headers=headers)
        assert status == 200 and answer["access-control-allow-origin"] == origin
        assert "POST" in answer["access-control-allow-methods"]
        assert "content-encoding" in answer["access-control-allow-headers"]
        # Also of errors, or the page could not read what is wrong.
        status, answer, body = server.request("POST", path, "{", {"Origin": origin})
        assert status == 400 and error_of(json.loads(body))
        assert answer["access-control-allow-origin"] == origin

    def test_a_page_of_an_origin_that_was_not_named(self, server):
        headers = {"Origin": "http://localhost:30", "Access-Control-Request-Method": "POST"}
        status, answer, _ = server.request("OPTIONS", f"{MODEL}:predict", headers=headers)
        assert status == 400 and "access-control-allow-origin" not in answer
        _, answer, _ = server.request("GET", MODEL, headers=headers)
        assert "access-control-allow-origin" not in answer

    @pytest.mark.parametrize("path", ["/v1", "/v2/models/toy", "/nothing", "/v1models"])
    def test_outside(self, server, path):
        status, headers, _ = server.request("GET", path)
        assert status == 404 and headers["content-type"].startswith("text/html")

    @pytest.mark.parametrize("version", ["", "/versions/2", "/versions/00002"])
    def test_predict(self, server, version):
        body = {"instances": [1.0, 2.0, 5.0]}
        answer = server.predict(body, f"{MODEL}{version}:predict")
        assert answer == (200, {"predictions": [2.5, 3.0, 4.5]})

    @pytest.mark.parametrize("verb", ["classify", "regress"])
    def test_other_verbs_are_not_implemented(self, server, verb):
        assert server.predict({"examples": [{"x": 1.0}]}, f"{MODEL}:{verb}")[0] == 501


class TestPredict:
    @pytest.mark.parametrize(
        "body, answer",
        [
            ({"instances": [[1], [2]]}, {"predictions": [[2.5], [3.0]]}),
            ({"inputs": [[1], [2]]}, {"outputs": [[2.5], [3.0]]}),
            ({"inputs": 3}, {"outputs": 3.5}),
            ({"signature_name": "", "inputs": {"x": [[1]]}}, {"outputs": [[2.5]]}),
            (
                {"signature_name": "two", "instances": [{"a": [1, 2], "b": 2**53 + 1}]},
                {"predictions": [{"sum": 9.00719925e15, "b": 2**53 + 1}]},
            ),
            (
                {"signature_name": "two", "inputs": {"a": [[1, 2], [3, 4]], "b": [1, 2]}},
                {"outputs": {"sum": [4.0, 9.0], "b": [1, 2]}},
            ),
            (
                {"signature_name": "text", "instances": [{"b64": "YQ=="}, "\u00e9\0"]},
                {
                    "predictions": [
                        {"echo": "a", "echo_bytes": {"b64": "YQ=="}},
                        {"echo": "\u00e9\0", "echo_bytes": {"b64": "w6kA"}},
                    ]
                },
            ),
            ({"signature_name": "total", "inputs": [1, 2, 3]}, {"outputs": 6}),
        ],
    )
    def test_answers(self, server, body, answer):
        assert server.predict(body) == (200, answer)

    @pytest.mark.parametrize(
        "name, value",
        [
            ("float32", [2.1, -1e-7]),
            ("float64", [0.1, 1e300]),
            ("int8", [-128, 127]),
            ("int16", [-32768, 32767]),
            ("int32", [-(2**31), 2**31 - 1]),
            ("int64", [-(2**63), 2**63 - 1]),
            ("uint8", [0, 255]),
            ("uint32", [0, 2**32 - 1]),
            ("uint64", [0, 2**64 - 1]),
            ("bool", [True, False]),
            ("string", ["a", "b"]),
        ],
    )
    @pytest.mark.parametrize("shape", [(2,), (2, 1, 1), (1, 2)])
    def test_every_dtype(self, server, name, value, shape):
        value = np.array(value, object).reshape(shape).tolist()
        body = {"signature_name": name, "inputs": value}
        assert server.predict(body) == (200, {"outputs": value})

    def test_not_finite(self, server):
        body = '{"signature_name": "float32", "instances": [NaN, Infinity, -Infinity, Inf]}'
        status, _, content = server.request("POST", f"{MODEL}:predict", body)
        assert status == 200
        assert b"[NaN, Infinity, -Infinity, Infinity]" in content

    def test_what_follows_the_object_is_ignored(self, server):
        assert server.predict('{"instances": [1]} and more')[0] == 200

    @pytest.mark.parametrize("upgrade", ["h2c", "websocket", "TLS/1.2"])
    @pytest.mark.parametrize("size", [1, 20_000])
    def test_an_offered_upgrade_is_ignored_and_the_body_kept(self, server, upgrade, size):
        # As the client of Java 11 sends it, and curl --http2.
        headers = {
            "Connection": "Upgrade, HTTP2-Settings",
            "Upgrade": upgrade,
            "HTTP2-Settings": "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
        }
        with contextlib.closing(server.connect()) as connection:
            for _ in range(2):  # the connection stays as it is
                body = json.dumps({"inputs": [[1.0]] * size})
                connection.request("POST", f"{MODEL}:predict", body, headers)
                response = connection.getresponse()
                assert response.status == 200
                assert json.loads(response.read()) == {"outputs": [[2.5]] * size}
        lines = [json.loads(line) for line in server.log.read_text().splitlines()]
        assert not [line for line in lines if "pgrade" in line["message"]]

    def test_deep_nesting_in_an_ignored_key(self, server):
        depth = 500_000
        body = '{"ignored": ' + "[" * depth + "]" * depth + ', "instances": [1.0]}'
        assert server.predict(body) == (200, {"predictions": [2.5]})

    @pytest.mark.parametrize(
        "headers",
        [{}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}],
    )
    def test_headers_are_not_looked_at(self, server, headers):
        assert server.request("POST", f"{MODEL}:predict", '{"inputs": 1}', headers)[0] == 200

    def test_gzip(self, server):
        body, headers = gzip.compress(b'{"inputs": 1}'), {"Content-Encoding": "gzip"}
        status, _, content = server.request("POST", f"{MODEL}:predict", body, headers)
        assert (status, json.loads(content)) == (200, {"outputs": 2.5})

    @pytest.mark.parametrize("encoding", ["deflate", "br", "gzip, gzip", "x"])
    def test_other_encodings(self, server, encoding):
        headers = {"Content-Encoding": encoding}
        body = zlib.compress(b'{"inputs": 1}')
        status, _, content = server.request("POST", f"{MODEL}:predict", body, headers)
        assert status == 415
        assert f"must be gzip, or there must be none. Received: {encoding}" in error_of(
            json.loads(content)
        )
        headers = {"Content-Encoding": "Identity"}
        assert server.request("POST", f"{MODEL}:predict", '{"inputs": 1}', headers)[0] == 200

    @pytest.mark.parametrize(
        "body, messages",
        [
            (
                {"inputs": {"a": [1, 2], "b": 3}, "signature_name": "two"},
                [
                    "input 'a' must have rank 2, shape (?, 2) with the batch first. "
                    "Received: rank 1, shape (2,)",
                    "input 'b' must have rank 1, shape (?,) with the batch first. "
                    "Received: rank 0, shape ()",
                ],
            ),
        ],
    )
    def test_inputs_of_another_rank(self, server, body, messages):
        status, answer = server.predict(body)
        assert status == 400
        for message in messages:
            assert message in error_of(answer)

    def test_a_byte_order_mark(self, server):
        status, answer = server.predict(b'\xef\xbb\xbf{"inputs": 1}')
        assert status == 400 and "byte order mark" in error_of(answer)

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "{",
            "[]",
            "{}",
            '{"instances": [1], "inputs": [1]}',
            '{"instances": []}',
            '{"instances": 1}',
            '{"instances": [1, [2]]}',
            '{"instances": ["1.0"]}',
            '{"instances": [true]}',
            '{"instances": [null]}',
            '{"instances": [{"z": 1}]}',
            '{"instances": [1e309]}',
            '{"instances": [1], "signature_name": 1}',
            '{"instances": [1], "signature_name": "unknown"}',
            '{"instances": [1.0], "signature_name": "int32"}',
            '{"instances": [{"b64": "%"}], "signature_name": "string"}',
            '{"instances": [1, 2], "signature_name": "total"}',
            '{"instances": [1.0], "signature_name": "half_precision"}',
            '{"instances": [1.0], "signature_name": "takes_half"}',
            # Only the graph knows that these shapes do not fit.
            '{"inputs": {"a": [[1, 2], [3, 4]], "b": [1, 2, 3]}, "signature_name": "two"}',
        ],
    )
    def test_refuses(self, server, body):
        status, answer = server.predict(body)
        assert status == 400
        error_of(answer)

    def test_what_the_graph_says_is_readable(self, server):
        status, answer = server.predict({"signature_name": "positive", "instances": [0]})
        assert status == 400
        assert "x must be positive." in error_of(answer)
        assert "\n" not in answer["error"] and "{{node" not in answer["error"]

    def test_strings_that_are_not_utf8(self, server):
        status, answer = server.predict({"signature_name": "text", "inputs": [{"b64": "/w=="}]})
        assert status == 400
        assert "_bytes" in error_of(answer)

    def test_the_body_is_read_before_the_model_is_looked_for(self, server):
        other = "/v1/models/other:predict"
        assert server.predict("{", other)[0] == 400
        assert server.predict("{}", other)[0] == 404
        assert server.predict({"instances": [1]}, f"{MODEL}/versions/1:predict")[0] == 404


class TestLimits:
    def test_a_long_body(self, server):
        body = b'{"instances": [' + b"1, " * 400_000 + b"1]}"
        status, answer = server.predict(body)
        assert status == 413
        assert "1048576" in error_of(answer)

    def test_a_long_body_in_chunks(self, server):
        # A generator is sent chunked, without a length.
        chunks = (b" " * 65536 for _ in range(40))
        status, _, content = server.request("POST", f"{MODEL}:predict", chunks)
        assert status == 413
        error_of(json.loads(content))

    def test_a_gzip_bomb(self, server):
        body = gzip.compress(b" " * (100 << 20))
        headers = {"Content-Encoding": "gzip"}
        assert server.request("POST", f"{MODEL}:predict", body, headers)[0] == 413

    def test_not_gzip(self, server):
        headers = {"Content-Encoding": "gzip"}
        for body in (b"{}", gzip.compress(b'{"inputs": 1}')[:-9]):
            assert server.request("POST", f"{MODEL}:predict", body, headers)[0] == 400

    def test_a_picture_of_many_pixels(self, server):
        header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (60_000).to_bytes(4, "big") * 2
        instances = [{"b64": base64.b64encode(header).decode()}]
        status, answer = server.predict({"signature_name": "text", "instances": instances})
        assert status == 400
        assert "3600000000" in error_of(answer)

    def test_no_answer_in_time(self, server):
        status, answer = server.predict({"signature_name": "wait", "instances": [4.0]})
        assert status == 504
        assert "3 s" in error_of(answer)
        assert server.predict({"inputs": 1})[0] == 200  # once the model is free again

    def test_a_slow_client_hurts_only_itself(self, server):
        parts = urllib.parse.urlsplit(server.url)
        with socket.create_connection((parts.hostname, parts.port), timeout=20) as slow:
            slow.sendall(b"POST /v1/models/toy:predict HTTP/1.1\r\nHost: a\r\n")
            slow.sendall(b"Content-Length: 100\r\n\r\n{")
            start = time.monotonic()
            assert server.predict({"inputs": 1})[0] == 200
            assert time.monotonic() - start < 4
            assert slow.recv(1000).startswith(b"HTTP/1.1 408")

    def test_clients_that_hang_up(self, server):
        parts = urllib.parse.urlsplit(server.url)
        address = (parts.hostname, parts.port)
        body = json.dumps({"signature_name": "wait", "instances": [0.2]}).encode()
        head = b"POST /v1/models/toy:predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
        requests = [
            b"",
            b"POST /v1",
            head % len(body),
            (head % len(body)) + body,
            b"\0\xff\r\n\r\n",
        ]
        for request in 3 * requests:
            with socket.create_connection(address) as connection:
                connection.sendall(request)
        assert server.predict({"inputs": 1})[0] == 200

    def test_many_large_requests_at_once(self, server):
        body = json.dumps({"signature_name": "int32", "inputs": [7] * 150_000})
        answers = in_parallel(12, lambda: server.predict(body))
        # What does not fit into memory at once may be refused, but nothing else.
        assert {status for status, _ in answers} <= {200, 503}
        assert any(status == 200 for status, _ in answers)


def in_parallel(count, function):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(function())) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == count
    return answers


def test_concurrent_requests_are_joined(server):
    answers = in_parallel(
        10, lambda: server.predict({"signature_name": "wait", "instances": [0.3]})
    )
    rows = [answer["predictions"][0] for status, answer in answers if status == 200]
    assert len(rows) == 10
    assert max(rows) > 1


def test_metrics(server):
    def count():
        status, headers, body = server.request("GET", "/monitoring/prometheus/metrics")
        assert status == 200 and headers["content-type"].startswith("text/plain")
        lines = dict(line.rsplit(" ", 1) for line in body.decode().splitlines() if line[0] != "#")
        assert float(lines["oasis_serving_model_version"]) == 2
        return float(lines['oasis_serving_requests_total{status="200"}'])

    before = count()
    server.predict({"inputs": 1})
    assert count() == before + 1


def test_access_log(server):
    server.predict({"inputs": [[1.0]], "signature_name": "serving_default"})
    server.predict({"inputs": 1}, "/v1/models/secret%0Aline:predict")
    end = time.monotonic() + 20
    while "secret" not in (lines := server.access_lines())[-1]["path"]:
        assert time.monotonic() < end
        time.sleep(0.02)
    good, bad = lines[-2:]
    assert good["method"] == "POST" and good["path"] == "/v1/models/toy:predict"
    assert good["status"] == 200 and good["version"] == 2 and good["ms"] > 0
    assert good["bytes_in"] > 0 and good["bytes_out"] > 0
    assert good["signature"] == "serving_default"
    assert bad["status"] == 404 and bad["path"] == "/v1/models/secret%0Aline:predict"
    assert "error" in bad
