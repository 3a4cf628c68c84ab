"""Writes training steps as StableHLO, to be run by JAX where TensorFlow cannot be installed.

    python -m experiments.accelerator.export_step --out DIR [--classes 151 1204] [--batch 4 16]
        [--precision float32 mixed_bfloat16] [--quick]

Of each step DIR holds the program, a function of the batch and of all variables to the losses and
the new variables, the batch, and how the variables begin. Copy DIR and `run_in_jax.py` to the
machine, and `run_released.py` to measure the authors' released code on the same batches.
"""

import argparse
import gzip
import json
import re
import sys

import numpy as np

from data_pipeline.paths import PathAction
from oasis_tf.tf_setup import quiet_log

# Networks up to this size are written with their weights, and the losses TensorFlow has of them.
SMALL = 2**24
STEPS = 3
_LOCATION = re.compile(r' loc\((?:#loc\d*|"[^"]*"|unknown|fused\[[^\]]*\])\)')
_ALIAS = re.compile(r"parameter_number = (\d+) : i64\}, output_index = array<i64(?:: (\d+))?>")


def main(argv=None):
    """Writes the steps; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.accelerator.export_step",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--out", required=True, action=PathAction, metavar="DIR", help="new, or of an earlier call")
    add("--classes", type=int, nargs="+", default=[151, 1204])
    add("--batch", type=int, nargs="+", default=[4, 16])
    add(
        "--precision",
        nargs="+",
        default=["float32", "mixed_bfloat16"],
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
    )
    add("--quick", action="store_true", help="toy sizes, to see that every line runs")
    arguments = parser.parse_args(argv)
    quiet_log()
    from benchmarks.options import Options

    options = Options(quick=arguments.quick)
    arguments.out.mkdir(parents=True, exist_ok=True)
    programs = []
    for batch_size in arguments.batch:
        for classes in arguments.classes:
            for precision in arguments.precision:
                for form in ("patches", "dense"):
                    if form == "dense" and precision != "float32":
                        continue  # the plain reference has one precision
                    name = f"{form}_{precision}_{classes}_{batch_size}"
                    print(name, file=sys.stderr, flush=True)
                    about = _write(
                        arguments.out, name, options, form, precision, classes, batch_size
                    )
                    programs.append(about)
                    text = json.dumps({"programs": programs}, indent=1) + "\n"
                    (arguments.out / "programs.json").write_text(text)
    return 0


def _write(directory, name, options, form, precision, classes, batch_size):
    """Writes one step; returns what `run_in_jax` has to know of it."""
    import tensorflow as tf

    from experiments.accelerator.batches import make_batches

    (batch,) = make_batches(options.records, 1, batch_size, classes)
    rng = np.random.default_rng(0)
    widths = options.widths
    noise = rng.standard_normal((2, batch_size, widths["noise_channels"])).astype(np.float32)
    bits = rng.random((batch_size, classes)) < 0.5
    inputs = [batch["image"], batch["label_map"], *map(tf.constant, noise), tf.constant(bits)]
    make = _patches if form == "patches" else _dense
    step, inputs = make(classes, widths, precision, inputs)
    concrete = step.get_concrete_function(*inputs)
    start = _captured(concrete)
    values = [np.asarray(x) for x in tf.nest.flatten(inputs)]
    text, updated = _portable(
        step.experimental_get_compiler_ir(*inputs)(stage="stablehlo"), len(values), len(start)
    )
    with gzip.open(directory / f"{name}.mlir.gz", "wt") as file:
        file.write(text)
    np.savez_compressed(directory / f"{name}.npz", *values)
    about = {
        "name": name,
        "form": form,
        "precision": precision,
        "classes": classes,
        "batch_size": batch_size,
        "widths": widths,
        "inputs": len(values),
        "variables": [
            {
                "shape": list(x.shape),
                "dtype": str(x.dtype),
                "mean": float(x.mean()),
                "std": float(x.std()),
            }
            for x in start
        ],
        # Which variable (by its number) the outputs after the losses are.
        "updated": updated,
        "losses": None,
    }
    if sum(x.nbytes for x in start) < SMALL:
        np.savez_compressed(directory / f"{name}_variables.npz", *start)
        about["losses"] = [step(*inputs).numpy().tolist() for _ in range(STEPS)]
    return about


def _patches(classes, widths, precision, inputs):
    """Our step as `tf.function`, of these inputs and a patch index."""
    import tensorflow as tf

    from benchmarks import ours
    from oasis_tf.execution import compiled
    from oasis_tf.models.padded_index import SHARES
    from oasis_tf.training.indexing import add_patch_index
    from oasis_tf.training.step import METRICS

    step = ours.step(classes, widths, precision)
    names = [name for name in METRICS if name.startswith("loss/")]
    batch = add_patch_index({"label_map": inputs[1]}, classes, shares=SHARES)

    def losses(*arguments):
        metrics = step(*arguments)
        return tf.stack([metrics[name] for name in names])

    return compiled(losses), [*inputs, batch["patch_index"]]


def _dense(classes, widths, precision, inputs):
    """The plain step, without the average."""
    import tensorflow as tf

    from benchmarks import plain
    from oasis_tf.execution import compiled

    training = plain.Training(classes, **widths)

    def losses(image, label_map, first, second, bits):
        generator = training.update_generator(label_map, first)
        return tf.stack([generator, training.update_discriminator(image, label_map, second, bits)])

    return compiled(losses), inputs


def _captured(concrete):
    """The values of what a graph captures, in the order in which its program takes them."""
    import tensorflow as tf

    values = []
    for tensor in concrete.captured_inputs:
        if tensor.dtype == tf.resource:
            (held,) = tensor._handle_data.shape_and_type
            tensor = tf.raw_ops.ReadVariableOp(resource=tensor, dtype=tf.as_dtype(held.dtype))
        values.append(tensor.numpy())
    return values


def _portable(text, inputs, variables):
    """StableHLO without TensorFlow's own words, and which variable each further output is.

    Raises:
        ValueError: the program takes or gives other things than it should.
    """
    aliases = [(int(parameter), int(output or 0)) for parameter, output in _ALIAS.findall(text)]
    lines = [_LOCATION.sub("", line) for line in text.splitlines() if not line.startswith("#loc")]
    text = "\n".join(lines) + "\n"
    text = re.sub(r"^module @.*$", "module @step {", text, count=1, flags=re.M)
    text = re.sub(
        r"(%\S+) = mhlo\.copy (%\S+) : (\S+)", r"\1 = stablehlo.reshape \2 : (\3) -> \3", text
    )
    text = re.sub(r" \{mhlo\.frontend_attributes = \{[^}]*\}\}", "", text)
    text = re.sub(r"mhlo\.frontend_attributes = \{[^}]*\}(?:, )?", "", text)
    if "mhlo." in text.replace("stablehlo.", ""):
        raise ValueError("the step must be StableHLO alone. Received: operations of mhlo in it")
    (head,) = re.findall(r"func\.func @main\(.*", text)
    count = len(re.findall(r"%arg\d+: ", head))
    outputs = [output for _, output in aliases]
    if sorted(outputs) != list(range(1, 1 + len(aliases))) or count != inputs + variables:
        raise ValueError(
            f"the step must take {inputs} inputs and {variables} variables, and give its losses "
            f"and then variables. Received: {count} arguments, variables at the outputs "
            f"{sorted(outputs)}"
        )
    for parameter, output in aliases:
        # The old value's memory is the new one's, as in TensorFlow.
        head_of = re.compile(rf"(%arg{parameter}: tensor<[^>]*>)(?=[,)])")
        changed = head_of.sub(rf"\1 {{tf.aliasing_output = {output} : i32}}", head, count=1)
        text, head = text.replace(head, changed, 1), changed
    updated = [parameter - inputs for parameter, _ in sorted(aliases, key=lambda pair: pair[1])]
    return text, updated


if __name__ == "__main__":
    sys.exit(main())
