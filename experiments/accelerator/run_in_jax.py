"""Runs the steps that `export_step` wrote under JAX, and measures them. Needs JAX and NumPy only.

    python run_in_jax.py DIR --out FILE.json [--seconds 450] [--steps 5]

Of each: seconds to compile and a step, images a second, the device's peak memory, whether two
courses from one start end with the same bits and, of small networks, how far the losses are from
TensorFlow's.
"""

import argparse
import gzip
import json
import sys
import time
from pathlib import Path
from statistics import median

import jax
import numpy as np


def main(argv=None):
    """Measures; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("directory")
    parser.add_argument("--out", required=True, metavar="FILE", help="JSON")
    parser.add_argument("--seconds", type=int, default=450, help="for all. Default: %(default)s")
    parser.add_argument("--steps", type=int, default=5, help="timed, of each. Default: %(default)s")
    arguments = parser.parse_args(argv)
    # Seeds and counts of steps have 64 bits.
    jax.config.update("jax_enable_x64", True)
    directory, end = Path(arguments.directory), time.monotonic() + arguments.seconds
    device = jax.devices()[0]
    content = {
        "title": "Training step under JAX",
        "device": device.device_kind,
        "platform": device.platform,
        "versions": {"jax": jax.__version__, "numpy": np.__version__},
        "steps": [],
    }
    for about in json.loads((directory / "programs.json").read_text())["programs"]:
        row = {key: about[key] for key in ("form", "precision", "classes", "batch_size")}
        if time.monotonic() > end:
            row["left_out"] = "no time left"
        else:
            try:
                row |= _measure(directory, about, arguments.steps, device)
            except Exception as error:  # one that does not fit must not end the rest
                row["error"] = f"{type(error).__name__}: {str(error).splitlines()[0][:300]}"
        content["steps"].append(row)
        print(json.dumps(row), file=sys.stderr, flush=True)
        Path(arguments.out).write_text(json.dumps(content, indent=1) + "\n")
    return 0


def _measure(directory, about, steps, device):
    name = about["name"]
    with gzip.open(directory / f"{name}.mlir.gz", "rt") as file:
        text = file.read()
    start = time.perf_counter()
    program = _compile(text, device)
    compiled = time.perf_counter() - start
    inputs = [jax.device_put(x, device) for x in _arrays(directory / f"{name}.npz")]
    values = _first_values(directory, about)

    def course(count):
        state = [jax.device_put(x, device) for x in values]
        losses, seconds = [], []
        for _ in range(count):
            start = time.perf_counter()
            loss, *updated = _execute(program, [*inputs, *state])
            losses.append(np.asarray(loss).tolist())  # waits for it
            seconds.append(time.perf_counter() - start)
            for number, value in zip(about["updated"], updated, strict=True):
                state[number] = value
        return losses, seconds, b"".join(np.asarray(x).tobytes() for x in state)

    losses, seconds, bits = course(steps + 1)
    # The first one warms up.
    step = median(seconds[1:])
    memory = device.memory_stats() or {}
    result = {
        "compile_s": compiled,
        "step_s": step,
        "images_per_s": about["batch_size"] / step,
        "samples_s": seconds[1:],
        "peak_bytes": memory.get("peak_bytes_in_use"),
        "same_bits": course(steps + 1)[2] == bits,
        "finite": bool(np.isfinite(losses).all()),
    }
    if about["losses"] is not None:
        both = list(zip(losses, about["losses"], strict=False))
        result["largest_difference_of_losses"] = max(
            float(np.abs(np.subtract(a, b)).max()) for a, b in both
        )
    return result


def _compile(text, device):
    """A program for a device. JAX has no public function for StableHLO of others."""
    from jaxlib import _jax, xla_client

    options = xla_client.CompileOptions()
    return device.client.compile_and_load(text, _jax.DeviceList((device,)), options)


def _execute(program, arguments):
    results = program.execute_sharded(arguments).disassemble_into_single_device_arrays()
    return [shards[0] for shards in results]


def _first_values(directory, about):
    """Weights as they were written or, of large networks, others of the same spread."""
    written = directory / f"{about['name']}_variables.npz"
    if written.exists():
        return _arrays(written)
    rng = np.random.default_rng(0)
    values = []
    for variable in about["variables"]:
        value = rng.standard_normal(variable["shape"], np.float32) * variable["std"]
        values.append(np.asarray(value + variable["mean"], variable["dtype"]))
    return values


def _arrays(path):
    with np.load(path) as arrays:
        return [arrays[name] for name in arrays.files]


if __name__ == "__main__":
    sys.exit(main())
