"""Where the weights of the frozen networks are, and what to do when they are not there.

Each file is looked for in the directory of `--weights_dir`, else in that of the environment
variable `OASIS_WEIGHTS`, else in `~/.cache/oasis_tf`.
"""

import os
import re
from dataclasses import dataclass

from data_pipeline.downloading.fetch import fetch
from data_pipeline.errors import OasisError
from data_pipeline.files import sha256
from data_pipeline.paths import local_path
from oasis_tf.checkpoints.torch_file import TorchFileError, read_state_dict


class MissingWeights(OasisError):
    """A frozen network's weights are absent or not the right ones; says where to put them."""


@dataclass(frozen=True)
class WeightsFile:
    """One public file with weights.

    Attributes:
        name: its file name; eight hexadecimal digits at its end are the start of its SHA-256.
        url: where it is published.
    """

    name: str
    url: str


INCEPTION = WeightsFile(
    "pt_inception-2015-12-05-6726825d.pth",
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth",
)
_LPIPS = "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights"
# For each backbone: its own weights, and the linear ones of LPIPS v0.1.
LPIPS = {
    "vgg": (
        WeightsFile("vgg16-397923af.pth", "https://download.pytorch.org/models/vgg16-397923af.pth"),
        WeightsFile("vgg.pth", f"{_LPIPS}/v0.1/vgg.pth"),
    ),
    "alex": (
        WeightsFile(
            "alexnet-owt-7be5be79.pth",
            "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
        ),
        WeightsFile("alex.pth", f"{_LPIPS}/v0.1/alex.pth"),
    ),
}


def weights_dir(given=None):
    """Path of the directory that holds the files.

    Args:
        given: what the user asks for, or None.
    """
    return local_path(
        given or os.environ.get("OASIS_WEIGHTS") or "~/.cache/oasis_tf",
        "--weights_dir (or OASIS_WEIGHTS)",
    )


def find(file, directory, *, download=False):
    """Path of a file with weights.

    Args:
        file: `WeightsFile`.
        directory: Path of the directory to look in.
        download: fetch it if it is not there.

    Raises:
        MissingWeights: it is not there; says where to get it and where to put it. Or what has
            been downloaded is not what its name says.
        DataError: the download failed.
    """
    path = directory / file.name
    if path.is_file():
        return path
    if not download:
        raise MissingWeights(
            f"{file.name} must be in {directory}. Fetch it with python -m oasis_tf.evaluate "
            f"--download_weights, or from {file.url} by other means and put it there "
            "(--weights_dir or OASIS_WEIGHTS says where). Received: no such file"
        )
    directory.mkdir(parents=True, exist_ok=True)
    arrived = directory / f"{file.name}.unchecked"
    fetch(file.url, arrived)
    digits = re.search(r"-([0-9a-f]{8})\.", file.name)
    if digits and not sha256(arrived).startswith(digits[1]):
        arrived.unlink()
        raise MissingWeights(
            f"{file.url} must have a SHA-256 that begins with the digits in its name. "
            "Received: another file; it was removed"
        )
    arrived.rename(path)
    return path


def read(path, shapes):
    """Reads tensors out of a file with weights, without running what is in it.

    Args:
        path: the file.
        shapes: {name: shape} of the tensors that are needed; others are ignored.

    Returns:
        {name: float32 array}.

    Raises:
        MissingWeights: no readable state dict, or one that lacks a tensor or has it in another
            shape.
    """
    try:
        state = read_state_dict(path)
    except TorchFileError as error:
        raise MissingWeights(str(error)) from None
    for name, shape in shapes.items():
        if name not in state or state[name].shape != tuple(shape):
            there = state[name].shape if name in state else "no such tensor"
            raise MissingWeights(
                f"{path} must hold {name} of shape {tuple(shape)}. Received: {there}"
            )
    return {name: state[name].astype("float32") for name in shapes}


def stored_shape(conv):
    """The shape (out, in, kh, kw) in which the files hold the kernel of a Keras convolution."""
    height, width, inputs, outputs = conv.kernel.shape
    return outputs, inputs, height, width
