"""The parity arrays of the metrics, and files with made-up weights."""

import json

import numpy as np
import pytest

from oasis_tf.checkpoints.torch_file import write_state_dict
from tests.metrics.fixtures import made_up


@pytest.fixture(scope="session")
def parity(shared):
    path = shared / "parity" / "metrics"
    if not path.is_dir():
        pytest.skip(f"NO PARITY ARRAYS at {path}")
    return path


@pytest.fixture(scope="session")
def cases(parity):
    return np.load(parity / "cases.npz")


@pytest.fixture(scope="session")
def inception_file(parity, tmp_path_factory):
    layout = json.loads((parity / "fid_inception_layout.json").read_text())
    path = tmp_path_factory.mktemp("weights") / "pt_inception-2015-12-05-6726825d.pth"
    # Counters of batches are there in the public file; nothing needs them.
    needed = {name: shape for name, shape in layout.items() if shape}
    write_state_dict(path, ((name, made_up(name, shape)) for name, shape in needed.items()))
    return path


# (torchvision's index, channels, kernel)
_VGG_WIDTHS = {0: 64, 2: 64, 5: 128, 7: 128, 10: 256, 12: 256, 14: 256} | dict.fromkeys(
    (17, 19, 21, 24, 26, 28), 512
)
BACKBONES = {
    "vgg": [(index, width, 3) for index, width in _VGG_WIDTHS.items()],
    "alex": [(0, 64, 11), (3, 192, 5), (6, 384, 3), (8, 256, 3), (10, 256, 3)],
}


@pytest.fixture(scope="session")
def lpips_files(cases, tmp_path_factory):
    """{net: (backbone, linear)}, paths."""
    directory = tmp_path_factory.mktemp("lpips")
    files = {}
    for net, convs in BACKBONES.items():
        state, inputs = {}, 3
        for index, channels, side in convs:
            for key, shape in (
                (f"features.{index}.weight", (channels, inputs, side, side)),
                (f"features.{index}.bias", (channels,)),
            ):
                state[key] = made_up(f"{net}.{key}", shape)
            inputs = channels
        linear = {
            f"lin{i}.model.1.weight": cases[f"lpips_{net}_lin{i}"].reshape(1, -1, 1, 1)
            for i in range(5)
        }
        files[net] = (directory / f"{net}_backbone.pth", directory / f"{net}.pth")
        for path, content in zip(files[net], (state, linear), strict=True):
            write_state_dict(path, content.items())
    return files
