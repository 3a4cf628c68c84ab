"""A proxy that leads nowhere, as on many clusters, and a data service on this machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from data_pipeline.proxy import reach_own_machines

ROOT = Path(__file__).parents[2]
READ = """
import sys
import tensorflow as tf
from data_pipeline.proxy import reach_own_machines
reach_own_machines()
service = tf.data.experimental.service
dispatcher = service.DispatchServer()
address = dispatcher.target.split("://")[1]
worker = service.WorkerServer(service.WorkerConfig(dispatcher_address=address))
numbers = tf.data.Dataset.range(3).apply(
    service.distribute(service.ShardingPolicy.OFF, dispatcher.target))
print(sorted(map(int, numbers.as_numpy_iterator())), flush=True)
import os; os._exit(0)
"""


def test_a_value_of_the_user_stays(monkeypatch):
    monkeypatch.setenv("grpc_proxy", "http://proxy:3128")
    reach_own_machines()
    assert os.getenv("grpc_proxy") == "http://proxy:3128"  # noqa: SIM112  as gRPC spells it
    monkeypatch.delenv("grpc_proxy")
    reach_own_machines()
    assert os.environ.pop("grpc_proxy") == ""


@pytest.mark.slow
def test_a_service_is_reached_without_the_proxy():
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    environment["http_proxy"] = "http://127.0.0.1:9"
    try:
        done = subprocess.run(
            [sys.executable, "-c", READ],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
        )
    except subprocess.TimeoutExpired:
        pytest.fail("waits for the proxy")
    assert done.stdout.splitlines()[-1:] == ["[0, 1, 2]"], done.stderr
