"""The fleet's commands are parsed by the parser that they start."""

from pathlib import Path

import pytest
import yaml

from data_pipeline.service import parse_arguments

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load((DEPLOY / "data-service.docker-compose.yml").read_text())["services"]


def arguments(service):
    python, flag, module, *rest = service["command"]
    assert (python, flag, module) == ("python", "-m", "data_pipeline.service")
    return parse_arguments(rest)


def test_commands(services):
    dispatcher, worker = arguments(services["dispatcher"]), arguments(services["worker"])
    assert worker.dispatcher.startswith(f"${{DISPATCHER:?HOST:{dispatcher.port} ")
    assert worker.port == 0  # any: several workers share the host's network


def test_the_journal_outlives_the_container(services):
    mounts = dict(v.split(":")[:2] for v in services["dispatcher"]["volumes"])
    work_dir = str(arguments(services["dispatcher"]).work_dir)
    assert work_dir in mounts.values()
    journal = next(source for source, target in mounts.items() if target == work_dir)
    content = yaml.safe_load((DEPLOY / "data-service.docker-compose.yml").read_text())
    assert journal in content["volumes"]


def test_services(services):
    for service in services.values():
        assert ":" in service["image"] and ":latest" not in service["image"]
        assert service["network_mode"] == "host" and service["read_only"]
        code = next(v for v in service["volumes"] if v.endswith(":/oasis:ro"))
        assert (DEPLOY / code.split(":")[0] / "data_pipeline" / "service.py").exists()
    assert services["worker"]["depends_on"]["dispatcher"]["condition"] == "service_healthy"
    assert services["worker"]["volumes"][1].endswith(":${DATA}:ro")
    check = services["dispatcher"]["healthcheck"]["test"]
    compile(check[-1], "healthcheck", "exec")
    assert f"localhost:{arguments(services['dispatcher']).port}" in check[-1]
