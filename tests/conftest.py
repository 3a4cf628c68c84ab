"""Two logical CPUs for the distribution tests, and where the shared data and arrays lie."""

import contextlib
import functools
import gc
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest

# Files whose tests share a model, a server or networks, for which seconds are spent once a process.
TOGETHER = (
    "tests/parity/",
    (
        "tests/serving/page/",
        "tests/serving/server/",
        "tests/serving/test_",
        "tests/serving/exporting/test_export_model",
    ),
)


def pytest_configure(config):
    if config.getoption("numprocesses", None):
        return  # the process that only hands out tests
    # Importing TensorFlow and building graphs make many objects that stay: a sixth of the time
    # would go into looking for garbage among them.
    gc.set_threshold(50_000, 20, 20)
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    # What `oasis_tf.train` spares itself on a CPU: rewriting large graphs.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def pytest_collection_finish():
    """What has been imported stays; looking for garbage among it takes a second each time."""
    gc.freeze()


def pytest_xdist_make_scheduler(config, log):
    """`--dist loadfile`, with some files together."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            for prefixes in TOGETHER:
                if nodeid.startswith(prefixes):
                    return prefixes
            return super()._split_scope(nodeid)

    return Scheduling(config, log)


def shared_dir():
    """Directory of real data and parity arrays that does not belong to the project."""
    default = Path(__file__).parents[1].parent / "shared"
    return Path(os.environ.get("OASIS_SHARED", default))


@pytest.fixture(scope="session")
def shared():
    """Path of the shared directory; skips the test, loudly, where there is none."""
    path = shared_dir()
    if not path.is_dir():
        pytest.skip(f"NO SHARED DATA at {path}: set OASIS_SHARED to run this test")
    return path


@pytest.fixture
def rng():
    import numpy as np

    return np.random.default_rng(0)


@contextlib.contextmanager
def eagerly():
    """Runs what is a graph elsewhere operation by operation, for tests of what is around it.

    The graph of a training step takes ten seconds to build; a step by itself takes one.
    """
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module", autouse=True)
def forgotten():
    """After a file, TensorFlow forgets its kernels and Keras how many layers there were.

    Of every variable whose name is new 35 kB would stay (`findings/`), and Keras numbers layers.
    """
    yield
    if keras := sys.modules.get("keras"):
        keras.backend.clear_session(free_memory=False)


@pytest.fixture
def eager():
    """A test without graphs."""
    with eagerly():
        yield


@pytest.fixture(scope="session")
def mirrored():
    """One strategy over two logical CPUs for all tests.

    A second one in the same process would reuse the keys of the first one's collectives, which
    TensorFlow answers with a shape mismatch.
    """
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture(scope="session")
def toy_run(tmp_path_factory):
    """Directory of a run with tiny networks (`tests/toy_model.py`); not to be changed."""
    from tests.toy_model import write_model_dir

    path = tmp_path_factory.mktemp("toy_model") / "run"
    write_model_dir(path)
    return path


@pytest.fixture(scope="session")
def load_once():
    """`oasis_tf.load`, which loads a model and builds its graph once for all tests."""
    from oasis_tf.sampling import loading

    by_name = functools.cache(loading.load)
    return lambda path, jit_compile=False: by_name(str(path), jit_compile=jit_compile)


@pytest.fixture(scope="session")
def toy_synthesizer(toy_run, load_once):
    """The model of `toy_run`, loaded."""
    return load_once(toy_run)


@pytest.fixture
def loaded_once(load_once, monkeypatch):
    """Spares commands the seconds of loading a model again: for models that stay as they are."""
    monkeypatch.setattr("oasis_tf.sampling.loading.load", load_once)
