"""A generator as a static page: the editor, which draws in the browser, without a server's help."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from data_pipeline.files import publish_directory
from oasis_tf.images import to_uint8
from oasis_tf.sampling.noise import global_noise
from oasis_tf.serving.exporting.model_info import SIZE_MULTIPLE
from oasis_tf.serving.exporting.onnx_file import open_onnx, write_onnx
from oasis_tf.serving.exporting.onnxruntime_web import unpack_runtime

_PAGE = Path(__file__).parents[1] / "page"
_BACKEND = """\
// Who draws the pictures of the page: the browser.
export { LocalBackend as Backend } from "./local_backend.js";
"""
_CHECKED_SEEDS = 3


def write_web_page(generator, info, directory, package, *, weights="float32"):
    """Writes a directory for any web server.

    `index.html` and `page/` are those of `oasis_tf.serve`, but for `page/backend.js`, which says
    who draws; `model/` holds the ONNX file, its card and what the page has to know of it;
    `onnxruntime_web/` the engine.

    Nothing is to be seen until the page is whole: it is written beside, and renamed.

    Args:
        generator: a trained `Generator`; stays as it is.
        info: its `ModelInfo`.
        directory: Path, absent or empty, which may be a link to it; its name is the model's.
        package: Path of onnxruntime-web's package.
        weights: as of `write_onnx`.

    Returns:
        `Differences` of onnxruntime's pictures.

    Raises:
        As `write_onnx` and `unpack_runtime`; OSError: the directory cannot be written, or something
            has been put into it meanwhile.
    """
    directory = Path(os.path.abspath(directory))  # its name, even if it is "."
    place = Path(os.path.realpath(directory))
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".export-", dir=place.parent))
    try:
        temporary.chmod(0o755)  # a web server may run as somebody else
        # First, for it is soon told if this is the wrong package.
        unpack_runtime(package, temporary / "onnxruntime_web")
        _write_page(temporary)
        model = temporary / "model" / f"{directory.name}.onnx"
        differences = write_onnx(generator, info, model, weights=weights)
        content = {
            "name": directory.name,
            **json.loads(info.to_json()),
            "file": model.name,
            "bytes": model.stat().st_size,
            "check": _check(info, model),
        }
        (model.parent / "model.json").write_text(json.dumps(content), encoding="utf-8")
        publish_directory(temporary, place)
        return differences
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _write_page(directory):
    shutil.copytree(_PAGE, directory / "page", copy_function=shutil.copyfile)
    (directory / "page" / "index.html").rename(directory / "index.html")
    (directory / "page" / "backend.js").write_text(_BACKEND, encoding="utf-8")


def _check(info, model):
    """A small scene and its picture, which the page draws before any other."""
    side, rng = SIZE_MULTIPLE, np.random.default_rng(0)
    blocks = rng.integers(0, info.legend.num_classes, (4, 4), np.int32)
    ids = blocks.repeat(side // 4, 0).repeat(side // 4, 1)
    seeds = rng.integers(0, _CHECKED_SEEDS, (side, side), np.int32)
    noise, _ = global_noise(np.arange(_CHECKED_SEEDS), info.config.noise_channels)
    image = open_onnx(model)(ids[None], noise.numpy()[None], seeds[None])[0]
    numbers = {"ids": ids, "seeds": seeds, "colours": to_uint8(image)}
    flat = {name: array.ravel().tolist() for name, array in numbers.items()}
    return {"width": side, "height": side, **flat}
