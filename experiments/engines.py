"""Size, time and difference of a model in each engine: the tables of docs/engines.md.

    python -m experiments.engines --work DIR --model runs/sample
    python -m experiments.engines --work DIR --full_width

Draws ten label maps one by one; each row is a process of its own. Engines that are not installed
are left out. `--full_width` is the paper's generator, 151 classes at 256x256, with random weights.
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
from oasis_tf.tf_setup import quick_graphs, quiet_log

MAPS = 10
CELLS = 24  # of a label map


def main(argv=None):
    """Exports the model, measures each engine, prints a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--work", required=True, action=PathAction, help="for the files, which are kept"
    )
    model = parser.add_mutually_exclusive_group(required=True)
    model.add_argument(
        "--model", action=PathAction, help="a training run or a converted checkpoint"
    )
    model.add_argument("--full_width", action="store_true")
    parser.add_argument(
        "--step", choices=("files", *ROWS), help="writes the files only, or measures one engine"
    )
    arguments = parser.parse_args(argv)
    quiet_log()
    quick_graphs()
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
    print("| engine | weights | file | a picture | memory | largest difference |")
    print("|---|---|---|---|---|---|")
    for row in ROWS:
        done = subprocess.run([*command, row], stdout=subprocess.PIPE, text=True)
        if done.returncode:
            print(f"{row}: left out", file=sys.stderr)
            continue
        found = json.loads(done.stdout.splitlines()[-1])
        print(
            f"| {row.removesuffix(' half')} | {'float16' if row.endswith('half') else 'float32'} "
            f"| {found['file']} | {found['seconds']:.3g} s | {found['gigabytes']:.2f} GB "
            f"| {found['difference']:.1g} |",
            flush=True,
        )
    return 0


def _model(arguments):
    import keras

    from data_pipeline.labels.legend import Legend
    from oasis_tf.checkpoints.run_dir import open_run_dir
    from oasis_tf.configs import PRESETS
    from oasis_tf.models.build import build_generator
    from oasis_tf.serving.exporting.model_info import ModelInfo

    if arguments.model:
        model = open_run_dir(arguments.model)
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
    for weights in ("float32", "float16"):
        write_onnx(generator, info, arguments.work / f"{weights}.onnx", weights=weights)
        write_litert(generator, info, arguments.work / f"{weights}.tflite", weights=weights)
    pictures = [generator(*inputs).numpy() for inputs in _inputs(info)]
    np.save(arguments.work / "pictures.npy", pictures)
    size, channels = info.config.image_size, info.config.noise_channels
    about = {"size": size, "classes": info.legend.num_classes, "channels": channels}
    (arguments.work / "about.json").write_text(json.dumps(about))


def _inputs(info):
    about = (info.legend.num_classes, info.config.noise_channels, info.config.image_size)
    return _draw_inputs(*about)


def _draw_inputs(num_classes, channels, size):
    """Label maps of cells around random points, each picture with one noise vector."""
    rng = np.random.default_rng(0)
    height, width = size
    rows, columns = np.indices(size)
    for _ in range(MAPS):
        points = rng.random((CELLS, 2)) * size
        far = (rows - points[:, :1, None]) ** 2 + (columns - points[:, 1:, None]) ** 2
        label_map = rng.integers(0, num_classes, CELLS, np.int32)[far.argmin(axis=0)]
        noise = rng.normal(size=(1, 1, channels)).astype(np.float32)
        yield label_map[None], noise, np.zeros((1, height, width), np.int32)


def _measure(arguments):
    about = json.loads((arguments.work / "about.json").read_text())
    inputs = list(_draw_inputs(about["classes"], about["channels"], about["size"]))
    draw, file = ROWS[arguments.step](arguments)
    draw(*inputs[0])
    seconds, differences = [], []
    for given, right in zip(inputs, np.load(arguments.work / "pictures.npy"), strict=True):
        start = time.perf_counter()
        drawn = np.asarray(draw(*given))
        seconds.append(time.perf_counter() - start)
        differences.append(np.abs(drawn - right).max())
    return {
        "file": f"{file.stat().st_size / 1e6:.1f} MB" if file else "",
        # Others' work on the machine makes the rest longer.
        "seconds": min(seconds),
        "gigabytes": _peak_kilobytes() / 1e6,
        "difference": float(np.max(differences)),
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


def _onnxruntime(weights):
    def open_session(arguments):
        from oasis_tf.serving.exporting.onnx_file import open_onnx

        path = arguments.work / f"{weights}.onnx"
        return open_onnx(path), path

    return open_session


def _openvino(precision):
    def open_model(arguments):
        import openvino

        path = arguments.work / "float32.onnx"
        hint = {"INFERENCE_PRECISION_HINT": precision} if precision else {}
        compiled = openvino.Core().compile_model(str(path), "CPU", hint)
        names = ("label_map", "noise", "noise_map")
        return lambda *inputs: compiled(dict(zip(names, inputs, strict=True)))["image"], path

    return open_model


def _litert(weights):
    def open_file(arguments):
        from oasis_tf.serving.exporting.litert_file import open_litert

        path = arguments.work / f"{weights}.tflite"
        return open_litert(path, threads=os.cpu_count()), path

    return open_file


ROWS = {
    "TensorFlow, distinct patches": _distinct_patches,
    "TensorFlow, `generate`": _plain(compiled=False),
    "TensorFlow, `generate` by XLA": _plain(compiled=True),
    "onnxruntime": _onnxruntime("float32"),
    "onnxruntime half": _onnxruntime("float16"),
    "OpenVINO": _openvino("f32"),
    "OpenVINO, as it chooses": _openvino(None),
    "LiteRT": _litert("float32"),
    "LiteRT half": _litert("float16"),
}

if __name__ == "__main__":
    sys.exit(main())
