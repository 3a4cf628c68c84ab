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
# Flags of tensorflow_model_server.
FLAGS = {
    "enable_batching": "true",
    "batching_parameters_file": "/etc/serving/batching.txt",
    "monitoring_config_file": "/etc/serving/monitoring.txt",
    "rest_api_timeout_in_ms": "30000",
    "file_system_poll_wait_seconds": "5",
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


def flags(command):
    return dict(flag.removeprefix("--").split("=", 1) for flag in command)


def test_batching_parameters():
    parameters = message("batching", BATCHING)
    text_format.Parse((DEPLOY / "batching.txt").read_text(), parameters)
    assert {name: getattr(parameters, name).value for name in BATCHING} == {
        "max_batch_size": 16,
        "batch_timeout_micros": 2000,
        "max_enqueued_batches": 8,
        "num_batch_threads": 2,
    }


def test_monitoring():
    config = message("monitoring", MONITORING)
    text_format.Parse((DEPLOY / "monitoring.txt").read_text(), config)
    assert config.prometheus_config.enable
    prometheus = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    (job,) = prometheus["scrape_configs"]
    assert job["metrics_path"] == config.prometheus_config.path


def test_compose(compose):
    serving = compose["services"]["serving"]
    assert flags(serving["command"]) == FLAGS
    assert serving["environment"]["MODEL_BASE_PATH"] == "/models"
    mounts = dict(volume.split(":")[:2] for volume in serving["volumes"])
    for source, target in mounts.items():
        # The models themselves are not in the repository, their directory is.
        assert (DEPLOY / source).exists(), source
        assert target == "/models" or target in FLAGS.values()
    for service in compose["services"].values():
        assert ":latest" not in service["image"] and ":" in service["image"]
        for volume in service["volumes"]:
            assert (DEPLOY / volume.split(":")[0]).exists(), volume
            assert volume.endswith(":ro")
        # Reachable from this machine only, unless somebody decides otherwise.
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert serving["healthcheck"]["test"][:3] == ["CMD", "bash", "-c"]


def test_nginx(compose):
    text = (DEPLOY / "nginx.conf.template").read_text()
    assert text.count("{") == text.count("}")
    (port,) = compose["services"]["serving"]["expose"]
    assert f"proxy_pass http://serving:{port};" in text
    assert "${MODEL_NAME}" in text


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
    assert flags(container["args"]) == FLAGS
    environment = {entry["name"]: entry["value"] for entry in container["env"]}
    for probe in ("startupProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["path"] == (
            f"/v1/models/{environment['MODEL_NAME']}/metadata"
        )
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"grpc": 8500, "rest": 8501}
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
