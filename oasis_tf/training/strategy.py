"""Over which devices and machines a run is spread: TensorFlow's strategies, by name.

TensorFlow is imported late, so that a wrong TF_CONFIG is told at once.
"""

import functools
import json
import os
from dataclasses import dataclass

from data_pipeline.errors import first_line
from oasis_tf.config import ConfigError

MULTI_WORKER = "multi_worker_mirrored"
TPU = "tpu"
STRATEGIES = ("default", "mirrored", MULTI_WORKER, TPU)
_JOBS = ("chief", "worker")


@dataclass(frozen=True)
class Cluster:
    """The processes that train together, as TF_CONFIG tells each of them.

    Attributes:
        workers: how many there are.
        index: which of them this one is; 0 is the chief, who writes what the run leaves.
    """

    workers: int
    index: int


def read_cluster(environment=os.environ):
    """Reads TF_CONFIG: `Cluster`.

    Raises:
        ConfigError: it is missing, or not what TensorFlow can use.
    """
    text = environment.get("TF_CONFIG")
    example = (
        '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, '
        '"task": {"type": "worker", "index": 0}}'
    )

    def check(holds, rule, received):
        if not holds:
            raise ConfigError(
                f"TF_CONFIG must {rule} for --strategy {MULTI_WORKER}, for example {example}. "
                f"Received: {received}"
            )

    check(text, "be set in the environment", "nothing")
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    check(isinstance(content, dict), "be a JSON object", text)
    jobs, task = content.get("cluster"), content.get("task")
    rule = 'list the addresses of all workers in "cluster", under "worker" (and "chief")'
    check(isinstance(jobs, dict) and jobs and set(jobs) <= set(_JOBS), rule, text)
    for addresses in jobs.values():
        whole = isinstance(addresses, list) and all(_is_address(a) for a in addresses)
        check(whole, 'give each worker in "cluster" as "host:port"', addresses)
    everyone = [address for job in _JOBS for address in jobs.get(job, [])]
    check(everyone, rule, text)
    check(len(set(everyone)) == len(everyone), "give each worker an address of its own", everyone)
    check(len(jobs.get("chief", [])) <= 1, 'name one "chief" at most', jobs.get("chief"))
    check(
        isinstance(task, dict) and str(task.get("type")) in jobs,
        f'say in "task" which "type" this worker is, one of {", ".join(jobs)}',
        task,
    )
    index, count = task.get("index"), len(jobs[task["type"]])
    # Templates of shells put it in quotes, and TensorFlow takes that.
    if isinstance(index, str) and index.isascii() and index.isdecimal():
        index = int(index)
    # bool is an int to Python, and not to a reader.
    in_range = isinstance(index, int) and not isinstance(index, bool) and 0 <= index < count
    check(in_range, f'have a "task" "index" from 0 to {count - 1}', index)
    before = 0 if task["type"] == "chief" else len(jobs.get("chief", []))
    return Cluster(len(everyone), before + index)


def check_alone(environment=os.environ):
    """Raises ConfigError if TF_CONFIG names several workers, each of which would train alone."""
    try:
        jobs = json.loads(environment.get("TF_CONFIG", ""))["cluster"]
        workers = sum(len(jobs.get(job, [])) for job in _JOBS)
    except (ValueError, KeyError, TypeError, AttributeError):
        return
    if workers > 1:
        raise ConfigError(
            f"--strategy must be given where TF_CONFIG names several workers: {MULTI_WORKER}, or "
            f"default to train alone on this one. Received: none, with {workers} workers"
        )


def make_strategy(name=None):
    """Makes a `tf.distribute.Strategy`; where there are several workers, waits for all of them.

    tf-models-official has a function for this, but it makes the deprecated, experimental kind
    of the multi-worker strategy, which warns at each start, and has the caller count the GPUs.

    Args:
        name: one of `STRATEGIES`. Defaults to "mirrored" where there are several GPUs, else
            "default". The multi-worker one must be made before TensorFlow computes anything.

    Raises:
        ConfigError: this worker's address in TF_CONFIG cannot be opened here, or there is no TPU.
    """
    import tensorflow as tf

    if name == TPU:
        return _tpu_strategy()
    if name is None:
        several = len(tf.config.list_logical_devices("GPU")) > 1
        name = "mirrored" if several else "default"
    if name == MULTI_WORKER:
        try:
            return tf.distribute.MultiWorkerMirroredStrategy()
        except tf.errors.UnknownError as error:
            raise ConfigError(
                "TF_CONFIG must give this worker an address with a port that is free here. "
                f"Received: {os.environ.get('TF_CONFIG')} ({error.message})"
            ) from error
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def _tpu_strategy():
    import tensorflow as tf

    name = os.environ.get("TPU_NAME", "local")
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect(name)
        return tf.distribute.TPUStrategy(resolver)
    except (ValueError, RuntimeError, tf.errors.OpError) as error:
        raise ConfigError(
            f"--strategy {TPU} needs a TPU: of this machine, or the one that TPU_NAME names. "
            f"Received: {name} ({first_line(error)})"
        ) from error


def check_compiled(config, strategy):
    """Raises ConfigError unless XLA can compile the step over the devices of a strategy.

    Args:
        config: `oasis_tf.config.Config`.
        strategy: a `tf.distribute.Strategy`.
    """
    devices = strategy.num_replicas_in_sync
    if config.jit_compile and devices > 1 and not compiles_by_itself(strategy):
        raise ConfigError(
            "--jit_compile compiles the step of one device, --strategy default. Received: "
            f"{devices} devices"
        )


def compiles_by_itself(strategy):
    """Whether a strategy has XLA compile whatever its replicas run, as that of TPUs does."""
    import tensorflow as tf

    return isinstance(strategy, tf.distribute.TPUStrategy)


def check_batch(config, devices, what="devices"):
    """Raises ConfigError unless each device gets as many pictures in each micro-batch.

    Args:
        config: `oasis_tf.config.Config`.
        devices: how many share a batch.
        what: what the message calls them.
    """
    if config.batch_size % (devices * config.accumulate):
        times = f" times --accumulate {config.accumulate}" if config.accumulate > 1 else ""
        raise ConfigError(
            f"--batch_size must be a multiple of the {devices} {what}{times}. "
            f"Received: {config.batch_size}"
        )


def is_chief(strategy):
    """Whether this process writes what the run leaves; with one process, it does."""
    return strategy.extended.should_checkpoint


def gather(strategy, number):
    """What each worker gives: list of int, one entry a device; every worker must call it.

    Args:
        strategy: a `tf.distribute.Strategy`.
        number: int in [0, 2^24), this worker's.
    """
    import tensorflow as tf

    if strategy.cluster_resolver is None:
        return [number]
    # float32, which every collective can move, holds these numbers exactly.
    numbers = _gathering(strategy)(tf.constant(number, tf.float32))
    return [int(x) for x in numbers.numpy()]


@functools.cache
def _gathering(strategy):
    import tensorflow as tf

    def replica(number):
        context = tf.distribute.get_replica_context()
        row = tf.one_hot(context.replica_id_in_sync_group, context.num_replicas_in_sync)
        return context.all_reduce(tf.distribute.ReduceOp.SUM, row * number)

    def everywhere(number):
        return strategy.experimental_local_results(strategy.run(replica, args=(number,)))[0]

    return tf.function(everywhere, autograph=False)


def _is_address(text):
    host, _, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    return bool(host) and port.isdecimal() and 0 < int(port) < 65536
