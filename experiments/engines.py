"""Size, time and difference of a model in each engine: the tables of docs/engines.md.

    python -m experiments.engines --work DIR --model saved_models/demo --data_dir data/sample_64
    python -m experiments.engines --work DIR --full_width

Draws ten label maps one by one; each row is a process of its own, and all rows take their turns
`--rounds` times. Engines that are not installed are left out. `--full_width` is the paper's
generator, 151 classes at 256x256, with random weights.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from data_pipeline.paths import PathAction
from oasis_tf.model_path import ModelPathAction, find_saved_model, local_model
from oasis_tf.tf_setup import quick_graphs, quiet_log

MAPS = 10
CELLS = 24  # of a label map that is drawn here
SECONDS = 5  # for which a row goes on drawing, all label maps once at least
WEIGHTS = ("float32", "float16", "int8")
RESULTS = Path(__file__).with_name("engines_demo.json")  # shown in docs/engines.md


def main(argv=None):
    """Exports the model, measures each engine, writes a JSON file and prints a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--work", required=True, action=PathAction, help="for the files, which are kept"
    )
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument(
        "--model",
        action=ModelPathAction,
        help="a training run, a converted checkpoint or an exported SavedModel",
    )
    model.add_argument("--full_width", action="store_true")
    parser.add_argument(
        "--data_dir",
        action=PathAction,
        help="records, whose first label maps of val are drawn; default: cells of random classes",
    )
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--out", action=PathAction, help="default: results.json in --work")
    parser.add_argument(
        "--step", choices=("files", *ROWS), help="writes the files only, or measures one engine"
    )
    arguments = parser.parse_args(argv)
    quiet_log()
    if arguments.step == "files":
        arguments.work.mkdir(parents=True, exist_ok=True)
        _write_files(arguments)
        return 0
    if arguments.step:
        print(json.dumps(_measure(arguments)))
        return 0
    given = sys.argv[1:] if argv is None else [str(word) for word in argv]
    command = [sys.executable, "-m", "experiments.engines", *given, "--step"]
    if not (arguments.work / "about.json").exists():  # the last to be written
        subprocess.run([*command, "files"], check=True)
    from benchmarks.machine import describe

    about = json.loads((arguments.work / "about.json").read_text())
    results = {**about, **describe(), "load": [], "rows": {}}
    out = arguments.out or arguments.work / "results.json"
    for number in range(arguments.rounds):
        results["load"].append(round(os.getloadavg()[0], 1))
        for row in ROWS if number == 0 else list(results["rows"]):
            done = subprocess.run([*command, row], stdout=subprocess.PIPE, text=True)
            if done.returncode:
                print(f"{row}: left out", file=sys.stderr)
                continue
            found = json.loads(done.stdout.splitlines()[-1])
            known = results["rows"].setdefault(row, found | {"seconds": []})
            known["seconds"].append(found["seconds"])
            known["gigabytes"] = max(known["gigabytes"], found["gigabytes"])
            out.write_text(json.dumps(results, indent=1) + "\n")
    print(table(results))
    return 0


def table(results):
    """The rows as a Markdown table.

    Args:
        results: dict, what `main` writes. Of the seconds of each round the shortest is shown, for
            what else is done on a machine makes them longer.

    Returns:
        str.
    """
    lines = [
        "| engine | weights | file | a picture | memory | largest difference | mean |",
        "|---|---|---|---|---|---|---|",
    ]
    for row, found in results["rows"].items():
        engine, weights = _engine_and_weights(row)
        size = f"{found['megabytes']:.1f} MB" if found["megabytes"] else ""
        seconds = min(found["seconds"])
        shown = f"{seconds:.2g} s" if seconds >= 0.1 else f"{seconds * 1000:.2g} ms"
        lines.append(
            f"| {engine} | {weights} | {size} | {shown} | {found['gigabytes']:.2g} GB "
            f"| {found['largest']:.1g} | {found['mean']:.1g} |"
        )
    return "\n".join(lines)


def _engine_and_weights(row):
    *words, last = row.split(" ")
    return (" ".join(words), last) if last in WEIGHTS else (row, WEIGHTS[0])


def _model(arguments):
    quick_graphs()
    import keras

    from data_pipeline.labels.legend import Legend
    from oasis_tf.checkpoints.run_dir import open_run_dir
    from oasis_tf.configs import PRESETS
    from oasis_tf.models.build import build_generator
    from oasis_tf.serving.exporting.exported_model import open_exported
    from oasis_tf.serving.exporting.model_info import ModelInfo

    if arguments.model:
        path = local_model(arguments.model, "--model")
        if exported := find_saved_model(path):
            model = open_exported(exported)
        else:
            model = open_run_dir(path)
        return model.load_generator(), ModelInfo(model.legend, model.config)
    keras.utils.set_random_seed(0)
    # At the gain of training's start the pictures would be grey, and no engine could be wrong.
    config = dataclasses.replace(PRESETS["ade20k"], init_gain=1.0, spade_gain=1.0)
    legend = Legend.coloured(("unlabelled", *(f"class {i}" for i in range(1, 151))))
    return build_generator(config, legend.num_classes), ModelInfo(legend, config)


def _write_files(arguments):
    from oasis_tf.serving.exporting.litert_file import write_litert
    from oasis_tf.serving.exporting.onnx_file import write_onnx

    generator, info = _model(arguments)
    for weights in WEIGHTS:
        write_onnx(generator, info, arguments.work / f"{weights}.onnx", weights=weights)
        write_litert(generator, info, arguments.work / f"{weights}.tflite", weights=weights)
    label_maps, noise = draw_inputs(
        info.legend.num_classes, info.config.noise_channels, info.config.image_size
    )
    if arguments.data_dir:
        from data_pipeline.reading.reader import eval_dataset

        examples = eval_dataset(arguments.data_dir, batch_size=1)
        label_maps = np.stack([e["label_map"].numpy() for e in examples.take(MAPS)])
    pictures = [generator(*inputs).numpy() for inputs in _each(label_maps, noise)]
    np.savez(arguments.work / "maps.npz", label_maps=label_maps, noise=noise, pictures=pictures)
    about = {
        "model": "full width" if arguments.full_width else str(arguments.model),
        "label_maps": str(arguments.data_dir or "cells"),
        "size": info.config.image_size,
        "classes": info.legend.num_classes,
    }
    (arguments.work / "about.json").write_text(json.dumps(about))


def draw_inputs(num_classes, channels, size):
    """Label maps of cells around random points, each picture with one noise vector.

    Returns:
        int32 (MAPS, 1, H, W), float32 (MAPS, 1, 1, channels).
    """
    rng = np.random.default_rng(0)
    rows, columns = np.indices(size)
    label_maps = np.empty((MAPS, 1, *size), np.int32)
    for label_map in label_maps:
        points = rng.random((CELLS, 2)) * size
        far = (rows - points[:, :1, None]) ** 2 + (columns - points[:, 1:, None]) ** 2
        label_map[0] = rng.integers(0, num_classes, CELLS, np.int32)[far.argmin(axis=0)]
    return label_maps, rng.normal(size=(MAPS, 1, 1, channels)).astype(np.float32)


def _each(label_maps, noise):
    for label_map, vectors in zip(label_maps, noise, strict=True):
        yield label_map, vectors, np.zeros_like(label_map)


def _measure(arguments):
    saved = np.load(arguments.work / "maps.npz")
    inputs = list(_each(saved["label_maps"], saved["noise"]))
    draw, file = ROWS[arguments.step](arguments)
    drawn = [np.asarray(draw(*given)) for given in inputs]
    differences = np.abs(np.stack(drawn) - saved["pictures"])
    seconds, begin = [], time.perf_counter()
    while not seconds or time.perf_counter() < begin + SECONDS:
        for given in inputs:
            start = time.perf_counter()
            np.asarray(draw(*given))
            seconds.append(time.perf_counter() - start)
    return {
        "megabytes": round(file.stat().st_size / 1e6, 2) if file else None,
        "seconds": min(seconds),  # what else is done on the machine makes others longer
        "gigabytes": round(_peak_kilobytes() / 1e6, 2),
        "largest": float(differences.max()),
        "mean": float(differences.mean()),
    }


def _peak_kilobytes():
    # Not that of getrusage, which a process has from the one that started it.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _distinct_patches(arguments):
    import tensorflow as tf

    from oasis_tf.serving.exporting.fuse_norms import fuse_norms

    generator, _ = _model(arguments)
    fused = fuse_norms(generator)
    return tf.function(fused.call, autograph=False), None


def _plain(compiled):
    def open_plain(arguments):
        import tensorflow as tf

        from oasis_tf.serving.exporting.fuse_norms import fuse_norms
        from oasis_tf.serving.exporting.plain_generator import draw_plainly, plain_weights
        from oasis_tf.serving.exporting.tensorflow_operations import TensorFlowOperations

        generator, _ = _model(arguments)
        weights = plain_weights(fuse_norms(generator))

        def draw(*inputs):
            return draw_plainly(weights, TensorFlowOperations(), *inputs)

        return tf.function(draw, autograph=False, jit_compile=compiled), None

    return open_plain


# Engines are opened without TensorFlow, as where they are used, so that their memory is their own.
_NAMES = ("label_map", "noise", "noise_map")


def _onnxruntime(weights):
    def open_session(arguments):
        import onnxruntime

        path = arguments.work / f"{weights}.onnx"
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return lambda *inputs: session.run(["image"], dict(zip(_NAMES, inputs, strict=True)))[
            0
        ], path

    return open_session


def _openvino(precision, weights="float32"):
    def open_model(arguments):
        import openvino

        path = arguments.work / f"{weights}.onnx"
        hint = {"INFERENCE_PRECISION_HINT": precision} if precision else {}
        compiled = openvino.Core().compile_model(str(path), "CPU", hint)
        return lambda *inputs: compiled(dict(zip(_NAMES, inputs, strict=True)))["image"], path

    return open_model


def _litert(weights):
    def open_file(arguments):
        from ai_edge_litert.interpreter import Interpreter

        path = arguments.work / f"{weights}.tflite"
        interpreter = Interpreter(str(path), num_threads=os.cpu_count())
        runner = interpreter.get_signature_runner("generate")
        return lambda *inputs: runner(**dict(zip(_NAMES, inputs, strict=True)))["image"], path

    return open_file


ROWS = {
    "TensorFlow, distinct patches": _distinct_patches,
    "TensorFlow, `generate`": _plain(compiled=False),
    "TensorFlow, `generate` by XLA": _plain(compiled=True),
    "onnxruntime": _onnxruntime("float32"),
    "onnxruntime float16": _onnxruntime("float16"),
    "onnxruntime int8": _onnxruntime("int8"),
    "OpenVINO": _openvino("f32"),
    "OpenVINO float16": _openvino("f32", "float16"),
    "OpenVINO int8": _openvino("f32", "int8"),
    "OpenVINO, as it chooses": _openvino(None),
    "LiteRT": _litert("float32"),
    "LiteRT float16": _litert("float16"),
    "LiteRT int8": _litert("int8"),
}

if __name__ == "__main__":
    sys.exit(main())
