"""Scaling: toy steps spread over devices and processes, and what the exchange of gradients costs.

Measured are steps of toy networks on one device, on two logical devices and on two processes over
the loopback interface, all with the same batch and on the same cores: what is seen is what
spreading costs, for there is nothing to win. The rows that begin with "computed" are arithmetic
from the assumptions in their names; no GPU and no network was measured.
"""

import itertools
import json
import math
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from benchmarks import labels, ours
from benchmarks.floor import step_multiply_adds
from benchmarks.measure import in_a_process, say
from benchmarks.records import sample_records
from benchmarks.rows import SLOWER, ratio, row

ONE, DEVICES, PROCESSES = "one device", "two devices", "two processes"
BATCH = 4
TOY = dict(base_channels=4, noise_channels=16, hidden=16)


class Machines(NamedTuple):
    """What a computed row assumes of the hardware.

    Attributes:
        gpus: how many share a batch.
        link: name of the slowest link that the ring passes.
        gigabytes: 1e9 bytes a second through it, in one direction.
        microseconds: until a message is through it.
    """

    gpus: int
    link: str
    gigabytes: float
    microseconds: float


# The rates of the links by name; the latencies are round numbers.
MACHINES = (
    Machines(8, "NVLink 3 in one machine", 300.0, 3.0),
    Machines(8, "25 Gbit/s Ethernet", 25 / 8, 20.0),
    Machines(64, "200 Gbit/s InfiniBand", 200 / 8, 5.0),
    Machines(64, "100 Gbit/s Ethernet", 100 / 8, 20.0),
)
# An A100's float32 and TF32 rates by its data sheet, and the share of them that a step reaches.
GPU_RATES = {"float32": 19.5e12, "TF32": 156e12}
REACHED = 0.3
PICTURES_PER_GPU = 4


def run(options):
    """Measures and computes; returns rows."""
    records = options.records if options.quick or options.data_dir else sample_records(64)
    widths = options.widths if options.quick else TOY
    seconds = {}
    for name in (ONE, DEVICES, PROCESSES):
        seconds[name] = _measure(name, records, widths, options)
        say(f"{name}: {min(seconds[name]):.3f} s a step at best")
    measured = [
        ratio(f"toy step, {name}", seconds, {name: name, ONE: ONE}, SLOWER)
        for name in (DEVICES, PROCESSES)
    ]
    return [*measured, *_computed(options)]


def ring_seconds(megabytes, messages, machines):
    """Seconds that ring all-reduces take: 2 (n - 1) turns of 1/n of the bytes each.

    Args:
        megabytes: 1e6 bytes to sum, in all.
        messages: of how many all-reduces; each waits for the latency of all turns.
        machines: `Machines`.

    >>> ring_seconds(1000, 1, Machines(2, "", 1.0, 0.0))  # half there, half back
    1.0
    """
    turns = 2 * (machines.gpus - 1)
    moved = turns / machines.gpus * megabytes / 1000 / machines.gigabytes
    return moved + messages * turns * machines.microseconds * 1e-6


def _computed(options):
    few, _ = options.classes
    megabytes, messages = in_a_process(_exchanged, few, options)
    (batch,) = in_a_process(_label_maps, options)
    counts = labels.count_patches(batch)
    operations = 2 * step_multiply_adds(counts, few, **options.widths)
    rows = []
    for machines, (dtype, rate) in itertools.product(MACHINES, GPU_RATES.items()):
        exchange = ring_seconds(megabytes, messages, machines)
        compute = operations / (rate * REACHED)
        name = (
            f"computed: {machines.gpus} GPUs, {PICTURES_PER_GPU} pictures each, {machines.link} "
            f"({machines.gigabytes:g} GB/s, {machines.microseconds:g} us), A100 at "
            f"{REACHED:.0%} of {rate / 1e12:g} TFLOP/s {dtype}"
        )
        sides = {"exchange": (exchange, "s"), "arithmetic": (compute, "s")}
        details = dict(megabytes=megabytes, all_reduces=messages, giga_operations=operations / 1e9)
        rows.append(row(name, (exchange + compute) / compute, SLOWER, sides, **details))
    return rows


def _exchanged(num_classes, options):
    """What the replicas exchange in a step: (1e6 bytes, number of all-reduces)."""
    from oasis_tf.layers.batch_norm import BatchNorm
    from oasis_tf.models.discriminator import Discriminator
    from oasis_tf.models.generator import Generator

    generator = Generator(num_classes, **options.widths)
    discriminator = Discriminator(num_classes, base_channels=options.widths["base_channels"])
    variables = [*generator.trainable_variables, *discriminator.trainable_variables]
    gradients = sum(math.prod(v.shape) for v in variables)
    norms = [x for x in generator._flatten_layers() if isinstance(x, BatchNorm)]
    statistics = sum(math.prod(x.running_mean.shape) for x in norms)
    # Mean and spread, in both drawings, and their gradients in the one that is differentiated.
    # Gradients are packed; those of each network count as one all-reduce.
    return 4 * (gradients + 6 * statistics) / 1e6, 2 + 6 * len(norms)


def _label_maps(options):
    (batch,) = labels.recorded(options.records, 1, batch_size=PICTURES_PER_GPU)
    few, _ = options.classes
    return [batch["label_map"].numpy() % few]


def _measure(name, records, widths, options):
    """Seconds of each step after the first, that of the slower process where there are two."""
    configs = _tf_configs(2) if name == PROCESSES else [None]
    # A process each, for devices and workers must be told before TensorFlow starts.
    with ThreadPoolExecutor(len(configs)) as pool:
        arguments = name, records, widths, options
        futures = [pool.submit(in_a_process, _steps, config, *arguments) for config in configs]
        return [max(step) for step in zip(*(f.result() for f in futures), strict=True)]


def _steps(tf_config, name, records, widths, options):
    if tf_config is not None:
        os.environ["TF_CONFIG"] = tf_config
    import tensorflow as tf

    from oasis_tf.tf_setup import quick_graphs

    quick_graphs()
    if name == DEVICES:
        (cpu,) = tf.config.list_physical_devices("CPU")
        halves = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, halves)
    strategy = {
        ONE: tf.distribute.get_strategy,
        DEVICES: lambda: tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]),
        PROCESSES: tf.distribute.MultiWorkerMirroredStrategy,
    }[name]()
    few, _ = options.classes
    batches = [
        {**batch, "label_map": batch["label_map"] % few}
        for batch in labels.recorded(records, options.repeats, batch_size=BATCH)
    ]

    def share(batch):
        rows = BATCH // strategy.num_replicas_in_sync

        def of_replica(context):
            first = context.replica_id_in_sync_group * rows
            return {key: value[first : first + rows] for key, value in batch.items()}

        return strategy.experimental_distribute_values_from_function(of_replica)

    with strategy.scope():
        shares = [share(batch) for batch in batches]
        trainer = ours.trainer(few, shares, widths, batch_size=BATCH, index_in_step=True)
    trainer.train(1)
    seconds = []
    for _ in range(options.repeats):
        start = time.perf_counter()
        trainer.train(1)
        seconds.append(time.perf_counter() - start)
    return seconds


def _tf_configs(count):
    """TF_CONFIG of each of `count` workers on free ports of this machine."""
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]
    for s in sockets:
        s.close()
    return [
        json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": i}})
        for i in range(count)
    ]
