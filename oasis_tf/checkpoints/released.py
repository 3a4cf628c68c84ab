"""The authors' checkpoint files to our networks and back, totally or not at all."""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oasis_tf.checkpoints.name_map import discriminator_rows, generator_rows
from oasis_tf.checkpoints.torch_file import TorchFileError, read_state_dict, write_state_dict
from oasis_tf.models.discriminator import WIDTHS as DISCRIMINATOR_WIDTHS
from oasis_tf.models.discriminator import Discriminator
from oasis_tf.models.generator import WIDTHS as GENERATOR_WIDTHS
from oasis_tf.models.generator import Generator

# Counters of PyTorch's batch norm that only a cumulative average would need.
_IGNORED_SUFFIX = ".num_batches_tracked"
_ROWS = {"G": generator_rows, "EMA": generator_rows, "D": discriminator_rows}


@dataclass(frozen=True)
class Released:
    """A released checkpoint in our networks.

    Attributes:
        generator: `Generator` as trained.
        ema_generator: `Generator` averaged over training; the one that draws best.
        discriminator: `Discriminator`.
        counters: {"G": {name: int}, "EMA": {name: int}}, the batch counters of PyTorch's batch
            norm. Nothing reads them, but `torch` wants them in a state dict.
        report: str, one line per file: tensors read, variables set, sizes found.
    """

    generator: Generator
    ema_generator: Generator
    discriminator: Discriminator
    counters: dict[str, dict[str, int]]
    report: str


def load_released(directory, which="best"):
    """Loads a checkpoint of the authors' code; all sizes are inferred from the tensors.

    Args:
        directory: where `{which}_G.pth`, `{which}_EMA.pth` and `{which}_D.pth` lie, or the
            parent of a `models/` directory where they do.
        which: "best", "latest" or an iteration number.

    Returns:
        A `Released`.

    Raises:
        TorchFileError: a file is missing, malformed or tries to run code.
        ValueError: tensors without a place here, variables without a tensor, or shapes that
            differ; the message lists them all.
    """
    directory = Path(directory)
    files = {part: _find(directory, f"{which}_{part}.pth") for part in ("G", "EMA", "D")}
    networks, counters, report = {}, {}, {}
    # One file after the other, for at full width each is 0.3 GB.
    for part in ("D", "G", "EMA"):
        path = files[part]
        state = read_state_dict(path)
        if part == "D":
            network = _build_discriminator(state, path)
        else:
            network = _build_generator(state, networks["D"].num_classes, path)
            counters[part] = {
                name: int(array)
                for name, array in state.items()
                if name.endswith(_IGNORED_SUFFIX) and array.ndim == 0
            }
        rows = _ROWS[part](network)
        report[part] = _assign(rows, state, path)
        networks[part] = network
    return Released(
        networks["G"],
        networks["EMA"],
        networks["D"],
        counters,
        "\n".join(report[part] for part in ("G", "EMA", "D")),
    )


def save_released(path, part, network, counters=None):
    """Writes one file of a checkpoint that the authors' code loads.

    Args:
        path: the file; theirs are called `models/{which}_{part}.pth`.
        part: "G", "EMA" or "D".
        network: `Generator` or `Discriminator`.
        counters: {name: int}, as in `Released`. Defaults to None: all 0.

    Returns:
        str, one line on what was written.
    """
    rows = _ROWS[part](network)
    names = [name for name in map(_counter_of, rows) if name is not None]
    variables = ((name, transform.back(variable.numpy())) for name, variable, transform in rows)
    extra = ((name, np.array((counters or {}).get(name, 0), np.int64)) for name in names)
    write_state_dict(path, itertools.chain(variables, extra))
    return (
        f"{Path(path).name}: {len(rows) + len(names)} tensors = {len(rows)} variables written "
        f"+ {len(names)} batch counters"
    )


def _counter_of(row):
    """Name of the batch counter beside a running mean, else None."""
    name = row[0]
    suffix = ".running_mean"
    return name.removesuffix(suffix) + _IGNORED_SUFFIX if name.endswith(suffix) else None


def _find(directory, name):
    for place in (directory, directory / "models"):
        if (place / name).is_file():
            return place / name
    raise TorchFileError(f"{directory}: must hold {name}, here or in models/.")


def _build_generator(state, num_classes, path):
    base = _shape(state, "conv_img.weight", 4, path)[1]
    outputs, conditioning, *_ = _shape(state, "fc.weight", 4, path)
    hidden = _shape(state, "body.0.norm_0.mlp_shared.0.weight", 4, path)[0]
    if outputs != GENERATOR_WIDTHS[0] * base:
        raise ValueError(
            f"{path}: fc.weight must have {GENERATOR_WIDTHS[0] * base} outputs. Received: {outputs}"
        )
    # The generator reads noise and labels side by side; how many are labels, only the
    # discriminator tells.
    noise = conditioning - num_classes
    if noise < 1:
        raise ValueError(
            f"{path}: fc.weight must have more inputs than the discriminator's {num_classes} "
            f"classes. Received: {conditioning}"
        )
    return Generator(num_classes, base_channels=base, noise_channels=noise, hidden=hidden)


def _build_discriminator(state, path):
    outputs, base, *_ = _shape(state, "layer_up_last.weight", 4, path)
    first = _shape(state, "body_down.0.conv1.0.weight_orig", 4, path)[0]
    if first != DISCRIMINATOR_WIDTHS[0] * base:
        raise ValueError(
            f"{path}: body_down.0.conv1.0 must have {DISCRIMINATOR_WIDTHS[0] * base} outputs. "
            f"Received: {first}"
        )
    return Discriminator(outputs - 1, base_channels=base)


def _shape(state, name, rank, path):
    if name not in state or state[name].ndim != rank:
        raise ValueError(f"{path}: must hold {name} of rank {rank}: not an OASIS checkpoint.")
    return state[name].shape


def _assign(rows, state, path):
    """Sets every variable of the rows from the state; all problems in one error."""
    wanted = {name for name, _, _ in rows}
    left = [n for n in state if n not in wanted and not n.endswith(_IGNORED_SUFFIX)]
    problems = [f"tensor without a variable: {name}" for name in left]
    ready = []
    for name, variable, transform in rows:
        if name not in state:
            problems.append(f"variable without a tensor: {name}")
            continue
        try:
            array = transform(state[name]).astype(np.float32, copy=False)
        except ValueError:
            array = state[name]
        if array.shape != tuple(variable.shape):
            problems.append(
                f"{name}: shape must become {tuple(variable.shape)}. "
                f"Received: {tuple(state[name].shape)}"
            )
        else:
            ready.append((variable, array))
    if problems:
        raise ValueError(f"{path}: not a checkpoint of these networks:\n  " + "\n  ".join(problems))
    for variable, array in ready:
        variable.assign(array)
    counters = len(state) - len(rows)
    return (
        f"{path.name}: {len(state)} tensors = {len(ready)} variables set "
        f"+ {counters} batch counters not needed"
    )
