"""The names of what a run computes on."""


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
