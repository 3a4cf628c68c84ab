"""What a run computes on, and why not on a GPU that is there."""

import ctypes
from pathlib import Path

# What the NVIDIA driver shows of itself.
_DRIVER = (Path("/proc/driver/nvidia/version"), Path("/dev/nvidiactl"))
# What TensorFlow's GPU code loads, by the versions that it was built for.
_LIBRARIES = {
    "cuda_version": ("cudart", "cublas", "cublasLt", "cufft", "cusolver", "cusparse"),
    "cudnn_version": ("cudnn",),
}
_OTHER_NUMBERS = {("cufft", "12"): "11", ("cusolver", "12"): "11"}


def device_names(count):
    """Names of the GPUs, or of the CPU where there is none.

    Args:
        count: over how many devices the run is spread.

    Returns:
        list of str, `count` at most: ["NVIDIA A100-SXM4-40GB", ...] or ["CPU"].
    """
    # Late, for TensorFlow takes seconds to import.
    import tensorflow as tf

    details = tf.config.experimental.get_device_details
    gpus = tf.config.list_physical_devices("GPU")[:count]
    return [details(gpu).get("device_name", "GPU") for gpu in gpus] or ["CPU"]


def unused_gpu():
    """Why TensorFlow does not use an NVIDIA GPU that the system has.

    TensorFlow itself says so among warnings that the commands leave out, and computes on the CPU.

    Returns:
        A line, or None where there is no such GPU, or it is used.
    """
    import tensorflow as tf

    driver = next((path for path in _DRIVER if path.exists()), None)
    if driver is None or tf.config.list_physical_devices("GPU"):
        return None
    line = (
        f"an NVIDIA driver is here ({driver}), but TensorFlow sees no GPU and computes on the CPU"
    )
    build = tf.sysconfig.get_build_info()
    if not build.get("is_cuda_build"):
        return f"{line}: this TensorFlow was built without CUDA"
    lacking = [name for name in _sonames(build) if not _loads(name)]
    if lacking:
        return (
            f"{line}: {', '.join(lacking)} cannot be loaded; "
            "pip install 'tensorflow[and-cuda]' brings them"
        )
    return (
        f"{line}: its libraries are there, so see whether nvidia-smi lists a GPU and whether "
        "CUDA_VISIBLE_DEVICES hides it"
    )


def _sonames(build):
    for key, libraries in _LIBRARIES.items():
        number = str(build.get(key, "")).partition(".")[0]
        for library in libraries:
            yield f"lib{library}.so.{_OTHER_NUMBERS.get((library, number), number)}"


def _loads(name):
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
