"""Writes a generator as a SavedModel for TensorFlow Serving."""

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from data_pipeline.files import publish_directory
from data_pipeline.labels.model_png import encode_for_model
from data_pipeline.records.png import encode_label_map
from oasis_tf.sampling.saved_model_backend import INFORMATION
from oasis_tf.serving.exporting.fuse_norms import fuse_norms
from oasis_tf.serving.exporting.model_card import model_card
from oasis_tf.serving.exporting.signatures import build_signatures
from oasis_tf.serving.warmup import write_warmup_requests

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def export_model(generator, info, directory, *, jit_compile=False):
    """Writes the next version of a model.

    Nothing is to be seen in the directory until the version is whole: it is written beside, and
    renamed.

    Args:
        generator: a trained `Generator`; stays as it is.
        info: its `ModelInfo`.
        directory: of all versions; made if it is not there.
        jit_compile: XLA compiles what draws, see `build_signatures`. Defaults to False.

    Returns:
        Path of the version, `directory/<number>`, one above the highest.

    Raises:
        OSError: the directory cannot be written.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".export-", dir=directory))
    try:
        temporary.chmod(0o755)  # TensorFlow Serving may run as somebody else
        fused = fuse_norms(generator, dtype=POLICIES[info.precision])
        _write(build_signatures(fused, info, jit_compile=jit_compile), info, temporary)
        (temporary / "MODEL_CARD.md").write_text(model_card(info, directory.name), encoding="utf-8")
        return _publish(temporary, directory)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _write(signatures, info, path):
    module = tf.Module()
    # Only what the graphs use: no singular vectors, no statistics.
    used = {id(v): v for function in signatures.values() for v in function.graph.variables}
    module.weights = list(used.values())
    module.serve = _keras_endpoint(signatures["serving_default"])
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, str(path), signatures=signatures, options=options)
    (path / INFORMATION).parent.mkdir()
    (path / INFORMATION).write_text(info.to_json() + "\n", encoding="utf-8")
    write_warmup_requests(path, _warmup_requests(info))


def _keras_endpoint(signature):
    """What `keras.layers.TFSMLayer(path)` calls: a dict of the signature's inputs to its picture.

    Signatures take keywords only, which that layer cannot give them.
    """
    specs, _ = signature.structured_input_signature
    inputs = {spec.name: spec for spec in specs}

    def serve(inputs):
        return signature(**inputs)["image"]

    return tf.function(serve, input_signature=[inputs], autograph=False)


def _warmup_requests(info):
    """A request for each signature, of the size of training."""
    height, width = info.config.image_size
    rows, columns = np.indices((height, width)) * 4 // np.array([height, width])[:, None, None]
    label_map = (4 * rows + columns) % info.legend.num_classes
    seed = np.zeros([1], np.int32)
    content = json.loads(info.to_json())
    files = np.array([encode_for_model(label_map, content)], object)
    zeros = np.array([encode_label_map(np.zeros_like(label_map))], object)
    yield "serving_default", {"label_map": label_map[None].astype(np.int32), "seed": seed}
    yield (
        "generate",
        {
            "label_map": label_map[None].astype(np.int32),
            "noise": np.zeros([1, 1, info.config.noise_channels], np.float32),
            "noise_map": np.zeros_like(label_map[None], np.int32),
        },
    )
    yield "synthesize_png", {"label_map_bytes": files, "seed": seed}
    edit = {"label_map_bytes": files, "mask_bytes": zeros, "seed": seed, "edit_seed": seed}
    yield "edit_png", edit
    yield "regions_png", {"label_map_bytes": files, "seed_map_bytes": zeros}
    yield "describe", {"index": seed}


def _publish(temporary, directory):
    numbers = [int(p.name) for p in directory.iterdir() if p.name.isdecimal()]
    # Fails, rather than writes over it, if another export took the number meanwhile.
    version = directory / str(max(numbers, default=0) + 1)
    publish_directory(temporary, version)
    return version
