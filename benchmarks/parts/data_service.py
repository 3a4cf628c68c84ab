"""tf.data service: batches of four through one and two workers on this machine, beside none.

Workers, trainer and dispatcher share the cores here, so this is what the way through the service
costs; what it brings, cores of other machines, cannot be measured on one.
"""

import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.measure import say
from benchmarks.parts.input_pipeline import BATCH, images_per_second
from benchmarks.rows import row
from data_pipeline.reading.reader import train_dataset
from data_pipeline.reading.service_reader import service_train_dataset

WORKERS = (1, 2)
LOCAL = "in the trainer"


def run(options):
    """Measures; returns rows."""
    warm, window = (0.1, 0.1) if options.quick else (2.0, 3.0)
    rates = {name: [] for name in (LOCAL, *WORKERS)}
    with contextlib.ExitStack() as stack:
        services = {count: stack.enter_context(_service(count)) for count in WORKERS}
        for number in range(1, options.repeats + 1):
            for name in rates:
                rate = images_per_second(_stream(options.records, services.get(name)), warm, window)
                rates[name].append(rate)
                say(f"round {number}/{options.repeats}  {_title(name)}  {rate:.1f}/s")
    return [
        row(
            f"batches of {BATCH}, {_title(count)}",
            median(rates[count]),
            "images/s",
            {_title(name): (median(rates[name]), "images/s") for name in (LOCAL, count)},
            samples={_title(name): rates[name] for name in (LOCAL, count)},
        )
        for count in WORKERS
    ]


def _title(name):
    return name if name == LOCAL else f"{name} {'worker' if name == 1 else 'workers'}"


def _stream(records, service):
    if service is None:
        return train_dataset(records, batch_size=BATCH, seed=0)
    return service_train_dataset(records, service=service, batch_size=BATCH, seed=0)


@contextlib.contextmanager
def _service(workers):
    """Address of a dispatcher with so many workers, all processes of their own."""
    processes = []

    def start(*arguments):
        command = [sys.executable, "-m", "data_pipeline.service", *arguments]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        line = processes[-1].stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(arguments[:1])} of the data service did not start")
        return line

    with tempfile.TemporaryDirectory() as directory:
        try:
            line = start("dispatcher", "--port", "0", "--work_dir", str(Path(directory)))
            address = f"localhost:{line.split(';')[0].split()[-1]}"
            for _ in range(workers):
                start("worker", "--dispatcher", address)
            yield f"grpc://{address}"
        finally:
            for process in processes:
                process.kill()
                process.communicate()
