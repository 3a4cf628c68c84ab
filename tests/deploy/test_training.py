"""The manifest of training on several machines: its TF_CONFIG, its command, its restarts."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from oasis_tf.train import RESTART, parse_arguments
from oasis_tf.training.strategy import MULTI_WORKER, Cluster, read_cluster

MANIFEST = Path(__file__).parents[2] / "deploy" / "kubernetes-training.yml"


@pytest.fixture(scope="module")
def parts():
    return {part["kind"]: part for part in yaml.safe_load_all(MANIFEST.read_text())}


@pytest.fixture(scope="module")
def job(parts):
    return parts["Job"]["spec"]


@pytest.fixture(scope="module")
def container(job):
    (container,) = job["template"]["spec"]["containers"]
    return container


def started(container, index, tmp_path):
    """What a pod's shell would start: (TF_CONFIG, arguments of python)."""
    python = tmp_path / "python"
    python.write_text('#!/bin/bash\nprintf "%s\\n" "$TF_CONFIG" "$@"\n')
    python.chmod(0o755)
    environment = {entry["name"]: entry["value"] for entry in container["env"]}
    path = f"{tmp_path}:{os.environ['PATH']}"
    out = subprocess.run(
        [*container["command"], *container["args"]],
        env={**environment, "PATH": path, "JOB_COMPLETION_INDEX": str(index)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    config, *arguments = out.splitlines()
    return config, arguments


def test_each_pod_is_a_worker(parts, job, container, tmp_path):
    service = parts["Service"]
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["selector"] == {"job-name": parts["Job"]["metadata"]["name"]}
    assert job["template"]["spec"]["subdomain"] == service["metadata"]["name"]
    assert job["completionMode"] == "Indexed"
    workers = job["completions"]
    assert job["parallelism"] == workers
    for index in range(workers):
        config, _ = started(container, index, tmp_path)
        assert read_cluster({"TF_CONFIG": config}) == Cluster(workers, index)
        # An indexed job names its pods job-0, job-1, ...; the service completes the address.
        name = f"{parts['Job']['metadata']['name']}-{index}.{service['metadata']['name']}"
        (port,) = container["ports"]
        assert f'"{name}:{port["containerPort"]}"' in config


def test_the_command(container, tmp_path):
    _, arguments = started(container, 0, tmp_path)
    assert arguments[:2] == ["-m", "oasis_tf.train"]
    parsed = parse_arguments(arguments[2:])
    assert parsed.strategy == MULTI_WORKER
    mounts = {mount["mountPath"]: mount.get("readOnly") for mount in container["volumeMounts"]}
    assert mounts == {"/data": True, "/runs": None}
    assert str(parsed.data_dir).startswith("/data/")
    assert str(parsed.model_dir).startswith("/runs/")


def test_which_ends_start_again(job):
    by_action = {}
    for rule in job["podFailurePolicy"]["rules"]:
        codes = rule.get("onExitCodes", {"values": [], "operator": "In"})
        assert codes["operator"] == "In"
        by_action.setdefault(rule["action"], []).extend(codes["values"])
    assert by_action == {"FailJob": [2], "Ignore": [RESTART, 128 + signal.SIGTERM]}
    # Both are conditions for such a policy.
    assert job["template"]["spec"]["restartPolicy"] == "Never"
    assert job["backoffLimit"] > 0
