"""TF_CONFIG, and which strategy a name means."""

import json
import os
import socket
import subprocess
import sys

import pytest
import tensorflow as tf

from oasis_tf.config import Config, ConfigError
from oasis_tf.training.strategy import (
    Cluster,
    check_alone,
    check_batch,
    check_compiled,
    gather,
    is_chief,
    make_strategy,
    read_cluster,
)

WORKERS = ["one:2222", "two:2222", "10.0.0.3:80"]


def cluster(jobs, kind, index):
    content = {"cluster": jobs, "task": {"type": kind, "index": index}}
    return read_cluster({"TF_CONFIG": json.dumps(content)})


def test_which_worker_this_is():
    assert cluster({"worker": WORKERS}, "worker", 2) == Cluster(3, 2)
    # A chief comes before all workers, as it does for TensorFlow.
    jobs = {"worker": WORKERS[1:], "chief": WORKERS[:1]}
    assert cluster(jobs, "chief", 0) == Cluster(3, 0)
    assert cluster(jobs, "worker", 1) == Cluster(3, 2)
    # A job of one machine, as cloud services set it; and an index that a shell's template wrote.
    assert cluster({"chief": WORKERS[:1]}, "chief", 0) == Cluster(1, 0)
    assert cluster({"worker": WORKERS}, "worker", "2") == Cluster(3, 2)


@pytest.mark.parametrize("jobs", [{"worker": WORKERS}, {"chief": WORKERS[:1], "worker": ["d:1"]}])
def test_several_workers_need_a_strategy(jobs):
    with pytest.raises(ConfigError, match="--strategy must be given.*Received: none, with [23] w"):
        check_alone({"TF_CONFIG": json.dumps({"cluster": jobs, "task": {}})})


@pytest.mark.parametrize(
    "text", [None, "{", "[]", "{}", '{"cluster": {"chief": ["a:1"]}}', '{"cluster": {"ps": ["a"]}}']
)
def test_alone_whatever_else_tf_config_says(text):
    check_alone({} if text is None else {"TF_CONFIG": text})


@pytest.mark.parametrize(
    "text, message",
    [
        (None, "TF_CONFIG must be set in the environment.*Received: nothing"),
        ("{", "TF_CONFIG must be a JSON object.*Received: {"),
        ("[1]", r"a JSON object.*Received: \[1\]"),
        ("{}", 'list the addresses of all workers in "cluster".*Received: {}'),
        ('{"cluster": {"ps": []}}', 'list the addresses of all workers in "cluster"'),
        ('{"cluster": {"worker": []}}', 'list the addresses of all workers in "cluster"'),
        ('{"cluster": {"worker": ["one"]}}', '"host:port".*Received: '),
        ('{"cluster": {"worker": ["one:0"]}}', '"host:port".*Received: '),
        ('{"cluster": {"worker": "one:1"}}', '"host:port".*Received: one:1'),
        ('{"cluster": {"worker": ["a:1", "a:1"]}}', "an address of its own"),
        ('{"cluster": {"worker": ["a:1"], "chief": ["b:1", "c:1"]}}', 'one "chief" at most'),
        ('{"cluster": {"worker": ["a:1"]}}', "one of worker .*Received: None"),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": ["worker"], "index": 0}}',
            'which "type" this worker is, one of worker',
        ),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}',
            'which "type" this worker is, one of worker',
        ),
        (
            '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}',
            '"index" from 0 to 1 .*Received: 2',
        ),
        (
            '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": "2"}}',
            '"index" from 0 to 1 .*Received: 2',
        ),
        (
            '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker"}}',
            '"index" from 0 to 1 .*Received: None',
        ),
    ],
)
def test_a_bad_environment(text, message):
    with pytest.raises(ConfigError, match=message):
        read_cluster({} if text is None else {"TF_CONFIG": text})


def test_a_batch_that_cannot_be_shared():
    check_batch(Config("folder", batch_size=12, accumulate=2), 3)
    with pytest.raises(ConfigError, match="multiple of the 5 workers. Received: 12"):
        check_batch(Config("folder", batch_size=12), 5, "workers")
    with pytest.raises(ConfigError, match="the 3 devices times --accumulate 4. Received: 32"):
        check_batch(Config("folder", batch_size=32, accumulate=4), 3)


@pytest.mark.slow
def test_a_port_that_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        addresses = [f"127.0.0.1:{taken.getsockname()[1]}", "127.0.0.1:1"]
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": 0}}
        # In a process of its own, for a server that failed cannot be started again.
        code = (
            "from oasis_tf.training.strategy import ConfigError, make_strategy\n"
            "try: make_strategy('multi_worker_mirrored')\n"
            "except ConfigError as error: print(error)"
        )
        environment = {**os.environ, "TF_CONFIG": json.dumps(config)}
        said = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    assert said.startswith("TF_CONFIG must give this worker an address with a port that is free")
    assert "gRPC" in said


def test_one_process_is_its_own_chief(mirrored):
    for strategy in (make_strategy(), make_strategy("default"), mirrored):
        assert is_chief(strategy)
        assert gather(strategy, 7) == [7]
    assert make_strategy() is tf.distribute.get_strategy()


def test_xla_compiles_the_step_of_one_device(mirrored):
    config = Config("toy", jit_compile=True)
    check_compiled(config, make_strategy("default"))
    check_compiled(Config("toy"), mirrored)
    with pytest.raises(ConfigError, match=r"--jit_compile .* one device.* Received: 2 devices"):
        check_compiled(config, mirrored)


def test_a_tpu_that_is_not_there(monkeypatch):
    def connect(name):
        raise ValueError(f"no {name}\nmore")

    resolver = tf.distribute.cluster_resolver.TPUClusterResolver
    monkeypatch.setattr(resolver, "connect", connect)
    monkeypatch.setenv("TPU_NAME", "elsewhere")
    with pytest.raises(ConfigError, match=r"needs a TPU.* Received: elsewhere \(no elsewhere\)"):
        make_strategy("tpu")


def test_a_tpu_gets_a_strategy_of_its_own(monkeypatch):
    """With a stand-in for the machine, which none of these is."""
    resolver = tf.distribute.cluster_resolver.TPUClusterResolver
    monkeypatch.setattr(resolver, "connect", lambda name: f"connected to {name}")
    monkeypatch.setattr(tf.distribute, "TPUStrategy", lambda connected: [connected])
    monkeypatch.delenv("TPU_NAME", raising=False)
    assert make_strategy("tpu") == ["connected to local"]
