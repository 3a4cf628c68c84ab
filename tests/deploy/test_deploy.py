"""The real server cannot run in a test, so its configuration is read by the parsers it uses."""

import contextlib
import getpass
import http.client
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from oasis_tf.serving.server.app import Limits

DEPLOY = Path(__file__).parents[2] / "deploy"
# Of TensorFlow Serving's session_bundle_config.proto and monitoring_config.proto, which its Python
# package does not have. A number is in a wrapper: `max_batch_size { value: 16 }`.
NUMBER, FLAG, TEXT = {"value": "int64"}, "bool", "string"
BATCHING = {
    "max_batch_size": NUMBER,
    "batch_timeout_micros": NUMBER,
    "max_enqueued_batches": NUMBER,
    "num_batch_threads": NUMBER,
}
MONITORING = {"prometheus_config": {"enable": FLAG, "path": TEXT}}
# Flags of tensorflow_model_server, as its --help lists them, that a deployment may want.
FLAGS = {
    "enable_batching",
    "batching_parameters_file",
    "monitoring_config_file",
    "rest_api_timeout_in_ms",
    "file_system_poll_wait_seconds",
    "model_name",
    "model_base_path",
}


def message(name, fields):
    """An empty protobuf message with these fields: a type's name each, or a dict of fields."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{name}.proto", package=name, syntax="proto3")
    _add_fields(file.message_type.add(name="Root"), fields, f".{name}.Root")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{name}.Root"))()


def _add_fields(root, fields, path):
    kinds = descriptor_pb2.FieldDescriptorProto
    types = {"int64": kinds.TYPE_INT64, "bool": kinds.TYPE_BOOL, "string": kinds.TYPE_STRING}
    for number, (name, kind) in enumerate(fields.items(), 1):
        field = root.field.add(name=name, number=number, label=kinds.LABEL_OPTIONAL)
        if isinstance(kind, dict):
            nested = f"Nested{number}"
            field.type, field.type_name = kinds.TYPE_MESSAGE, f"{path}.{nested}"
            _add_fields(root.nested_type.add(name=nested), kind, field.type_name)
        else:
            field.type = types[kind]


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def kubernetes():
    parts = yaml.safe_load_all((DEPLOY / "kubernetes.yml").read_text())
    return {part["kind"]: part for part in parts}


def flags(command, files):
    """The server's flags, checked; `files` are what it finds in its container."""
    found = dict(flag.removeprefix("--").split("=", 1) for flag in command)
    assert set(found) <= FLAGS
    # Without it the parameters of batching are not read.
    assert found["enable_batching"] == "true"
    for name in ("batching_parameters_file", "monitoring_config_file"):
        assert found[name] in files
    assert int(found["rest_api_timeout_in_ms"]) == 1000 * Limits().timeout
    assert int(found["file_system_poll_wait_seconds"]) > 0
    return found


def nginx_blocks(text):
    """A configuration of nginx as nested lists of (words, block or None)."""
    tokens = re.findall(r"\$\{\w+\}|\"[^\"]*\"|(?:\$\{\w+\}|[^\s;{}\"#])+|[;{}]|#.*", text)
    blocks, words = [[]], []
    for token in (t for t in tokens if not t.startswith("#")):
        if token == "{":
            blocks[-1].append((words, inside := []))
            blocks.append(inside)
        elif token == ";":
            blocks[-1].append((words, None))
        elif token == "}":
            assert not words, f"{words} must end with a semicolon"
            blocks.pop()
        else:
            words.append(token)
            continue
        words = []
    assert len(blocks) == 1 and not words
    return blocks[0]


def test_batching_parameters():
    parameters = message("batching", BATCHING)
    text_format.Parse((DEPLOY / "batching.txt").read_text(), parameters)
    assert all(getattr(parameters, name).value > 0 for name in BATCHING)
    # As many rows as the local server joins, which wait little beside an answer's time.
    assert parameters.max_batch_size.value == Limits().max_batch_size
    assert parameters.batch_timeout_micros.value < 0.01e6 * Limits().timeout


def test_monitoring():
    config = message("monitoring", MONITORING)
    text_format.Parse((DEPLOY / "monitoring.txt").read_text(), config)
    assert config.prometheus_config.enable
    prometheus = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    (job,) = prometheus["scrape_configs"]
    assert job["metrics_path"] == config.prometheus_config.path


def test_compose(compose):
    serving = compose["services"]["serving"]
    assert serving["environment"]["MODEL_BASE_PATH"] == "/models"
    mounts = dict(volume.split(":")[:2] for volume in serving["volumes"])
    for source, target in mounts.items():
        # The models themselves are not in the repository, their directory is.
        assert (DEPLOY / source).exists(), source
        assert (DEPLOY / source).is_dir() == (target == "/models")
    flags(serving["command"], mounts.values())
    for service in compose["services"].values():
        assert ":latest" not in service["image"] and ":" in service["image"]
        for volume in service["volumes"]:
            assert (DEPLOY / volume.split(":")[0]).exists(), volume
            assert volume.endswith(":ro")
        # Reachable from this machine only, unless somebody decides otherwise.
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert serving["healthcheck"]["test"][:3] == ["CMD", "bash", "-c"]


def flat(block):
    """(first word, last word) of the directives of a block and of the blocks in it."""
    for words, inside in block:
        yield words[0], words[-1]
        yield from flat(inside or [])


def test_nginx(compose):
    ((words, server),) = nginx_blocks((DEPLOY / "nginx.conf.template").read_text())
    assert words == ["server"]
    locations = {words[-1]: dict(flat(block)) for words, block in server if words[0] == "location"}
    (port,) = compose["services"]["serving"]["expose"]
    assert locations["/v1/"]["proxy_pass"] == f"http://serving:{port}"
    # nginx waits longer than the server, so that its answer comes.
    seconds = int(locations["/v1/"]["proxy_read_timeout"].removesuffix("s"))
    assert seconds > Limits().timeout
    # The page and its files are where they are mounted.
    page = compose["services"]["web"]
    (listens,) = (words[1] for words, _ in server if words[0] == "listen")
    assert [port.rpartition(":")[2] for port in page["ports"]] == [listens]
    assert "/page/" in locations
    assert locations["/"]["return"].endswith("?model=${MODEL_NAME}")
    assert "MODEL_NAME" in page["environment"]


def test_nginx_leads_to_the_page_by_a_relative_address(tmp_path):
    """The port and the path that nginx is reached by are not those it listens on."""
    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if nginx is None:
        pytest.skip("NO NGINX: apt-get install nginx-light to run this test")
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("the page")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    site = (DEPLOY / "nginx.conf.template").read_text()
    for old, new in (
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("${MODEL_NAME}", "sample"),
        ("http://serving", "http://127.0.0.1"),
        ("/usr/share/nginx/html", str(tmp_path)),
    ):
        assert old in site
        site = site.replace(old, new)
    (tmp_path / "site").write_text(site)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = " ".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
    (tmp_path / "conf").write_text(
        f"pid {tmp_path}/pid; error_log stderr; daemon off; user {getpass.getuser()}; events {{}} "
        f"http {{ access_log off; {places} include {tmp_path}/site; }}"
    )
    process = subprocess.Popen([nginx, "-p", str(tmp_path), "-c", str(tmp_path / "conf")])
    try:
        for path, location in (("/", "?model=sample"), ("/page", "/page/")):
            status, headers = ask(port, path)
            assert status in (301, 302) and headers["Location"] == location
        assert ask(port, "/?model=other")[0] == 200
    finally:
        process.terminate()
        process.wait()


def ask(port, path, seconds=20):
    """(status, headers) of a GET, once somebody listens."""
    end = time.monotonic() + seconds
    while True:
        try:
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
                connection.request("GET", path, headers={"Host": "localhost:8080"})
                response = connection.getresponse()
                return response.status, response.headers
        except ConnectionRefusedError:
            assert time.monotonic() < end, "nginx does not listen"
            time.sleep(0.05)


def test_kubernetes(kubernetes):
    deployment = kubernetes["Deployment"]["spec"]["template"]["spec"]
    (container,) = deployment["containers"]
    (config,) = (m["mountPath"] for m in container["volumeMounts"] if m["name"] == "config")
    flags(container["args"], {f"{config}/{name}" for name in kubernetes["ConfigMap"]["data"]})
    environment = {entry["name"]: entry["value"] for entry in container["env"]}
    for probe in ("startupProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["path"] == (
            f"/v1/models/{environment['MODEL_NAME']}/metadata"
        )
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for probe, how in (("startup", "httpGet"), ("readiness", "httpGet"), ("liveness", "tcpSocket")):
        assert container[f"{probe}Probe"][how]["port"] in ports
    for port in kubernetes["Service"]["spec"]["ports"]:
        assert ports[port["targetPort"]] == port["port"]
    assert {m["name"] for m in container["volumeMounts"]} == {
        v["name"] for v in deployment["volumes"]
    }
    labels = kubernetes["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert kubernetes["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert kubernetes["Service"]["spec"]["selector"] == labels


def test_kubernetes_autoscaler(kubernetes):
    spec = kubernetes["HorizontalPodAutoscaler"]["spec"]
    assert spec["scaleTargetRef"]["name"] == kubernetes["Deployment"]["metadata"]["name"]
    assert spec["scaleTargetRef"]["kind"] == "Deployment"
    assert 1 <= spec["minReplicas"] < spec["maxReplicas"]
    # A share of what is requested, so something must be.
    (container,) = kubernetes["Deployment"]["spec"]["template"]["spec"]["containers"]
    assert spec["metrics"][0]["resource"]["name"] in container["resources"]["requests"]
    assert "replicas" not in kubernetes["Deployment"]["spec"]


def test_the_same_configuration_everywhere(kubernetes):
    def bare(text):
        return [line for line in text.splitlines() if line.strip() and not re.match(r"\s*#", line)]

    for name, text in kubernetes["ConfigMap"]["data"].items():
        assert bare(text) == bare((DEPLOY / name).read_text())
