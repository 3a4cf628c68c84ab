"""What the first steps do to kernels.

    python -m experiments.start.kernels --data_dir DIR --out FILE.json

Makes the first steps of a run of `experiments.start` and writes, for some of them and for each 3x3
kernel of the discriminator under spectral norm, four numbers:

- `stable_rank`: |K|^2 / sigma^2, Frobenius over spectral norm of the kernel as a matrix; 1 is rank
  one.
- `alike`: the mean cosine of two of the nine taps; 1 where all nine are the same.
- `gain`: the largest factor by which the kernel over its exact sigma lifts an input that is
  constant over the place: the spectral norm of the sum of the taps over sigma. At most 3.
- `lag`: exact sigma over the estimate that the network divides by.
"""

import argparse
import dataclasses
import itertools
import json
import sys

import keras
import numpy as np
import tensorflow as tf

from data_pipeline.files import write_atomically
from data_pipeline.paths import PathAction
from data_pipeline.reading.reader import train_dataset
from data_pipeline.records.manifest import Manifest
from oasis_tf.config import STARTS
from oasis_tf.configs import PRESETS
from oasis_tf.models.build import build_discriminator, build_generator
from oasis_tf.training.adam import build_adam
from oasis_tf.training.randomness import Purpose, step_mask_bits, step_noise
from oasis_tf.training.step import AdversarialStep
from oasis_tf.training.trainer import POWER_ITERATIONS

STEPS = (0, 1, 2, 3, 5, 10, 20, 40)


def measure(kernel, sigma):
    """The four numbers of a float32 (3, 3, inputs, outputs) kernel and its estimated sigma."""
    matrix = kernel.reshape(-1, kernel.shape[-1]).astype(float)
    exact = np.linalg.norm(matrix, 2)
    taps = kernel.reshape(9, -1).astype(float)
    unit = taps / np.linalg.norm(taps, axis=1, keepdims=True)
    return {
        "stable_rank": float(np.linalg.norm(matrix) ** 2 / exact**2),
        "alike": float(np.mean([a @ b for a, b in itertools.combinations(unit, 2)])),
        "gain": float(np.linalg.norm(kernel.sum(axis=(0, 1)).astype(float), 2) / exact),
        "lag": float(exact / sigma),
    }


def course(data_dir, start, *, seed, steps=STEPS, base_channels=16, batch_size=8):
    """{step: {name: median over the kernels}} and the norms of the discriminator's gradients."""
    manifest = Manifest.read(data_dir)
    config = dataclasses.replace(
        PRESETS[manifest.dataset],
        generator_channels=base_channels,
        discriminator_channels=base_channels,
    )
    keras.utils.set_random_seed(seed)
    generator = build_generator(config, manifest.num_classes)
    discriminator = build_discriminator(config, manifest.num_classes)
    step = AdversarialStep(
        generator,
        discriminator,
        build_adam(config.generator_lr, generator),
        build_adam(config.discriminator_lr, discriminator),
        labelmix_weight=config.labelmix_weight,
        clips=start == "guarded",
    )

    @tf.function(autograph=False)
    def update(batch, number):
        draws = [
            step_noise((batch_size, config.noise_channels), seed, number, purpose)
            for purpose in (Purpose.GENERATOR_NOISE, Purpose.DISCRIMINATOR_NOISE)
        ]
        mask_bits = step_mask_bits((batch_size, manifest.num_classes), seed, number)
        metrics = step(batch["image"], batch["label_map"], *draws, mask_bits)
        if start == "guarded":
            step.refine(POWER_ITERATIONS)
        return metrics["gradient_norm/discriminator"]

    kernels, norms = {}, []
    batches = iter(train_dataset(data_dir, batch_size=batch_size, seed=seed))
    for number in range(max(steps) + 1):
        if number in steps:
            kernels[number] = _medians(discriminator)
        if number < max(steps):
            norms.append(float(update(next(batches), tf.constant(number, tf.int64))))
    return {"kernels": kernels, "gradient_norm/discriminator": norms}


def _medians(discriminator):
    layers = [
        layer
        for block in (*discriminator.down, *discriminator.up)
        for layer in (block.conv_1, block.conv_2)
        if layer is not None and layer.kernel.shape[0] == 3
    ]
    rows = [measure(layer.kernel.numpy(), float(layer.sigma())) for layer in layers]
    return {name: float(np.median([row[name] for row in rows])) for name in rows[0]} | {
        "largest_lag": max(row["lag"] for row in rows)
    }


def main(argv=None):
    """Measures and writes the file; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.start.kernels",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data_dir", required=True, action=PathAction, help="the records")
    parser.add_argument("--out", required=True, action=PathAction, help="the JSON file")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    arguments = parser.parse_args(argv)
    runs = {start: course(arguments.data_dir, start, seed=arguments.seed) for start in STARTS}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    content = {"seed": arguments.seed, **runs}
    write_atomically(arguments.out, json.dumps(content, indent=1) + "\n")
    for start, run in runs.items():
        for number, row in run["kernels"].items():
            norm = run["gradient_norm/discriminator"][number - 1] if number else float("nan")
            values = "  ".join(f"{name} {value:.3g}" for name, value in row.items())
            print(f"{start:<9} after step {number:>2}  {values}  norm in it {norm:.3g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
