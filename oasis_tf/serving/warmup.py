"""Warm-up requests: what a server runs before it sends a new version its first user."""

from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"


def write_warmup_requests(directory, requests):
    """Writes the file that TensorFlow Serving looks for.

    Args:
        directory: of the SavedModel's version.
        requests: pairs of a signature's name and a dict from input names to arrays.
    """
    path = Path(directory) / WARMUP_FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature_name, inputs in requests:
            request = predict_pb2.PredictRequest()
            request.model_spec.signature_name = signature_name
            for name, array in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())


def read_warmup_requests(directory):
    """Reads the file of a version, if there is one.

    Args:
        directory: of the SavedModel's version.

    Returns:
        list of pairs as in `write_warmup_requests`; records of other calls than predict are
        left out.

    Raises:
        tf.errors.DataLossError: the file is damaged.
    """
    path = Path(directory) / WARMUP_FILE
    if not path.exists():
        return []
    requests = []
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        request = log.predict_log.request
        if log.HasField("predict_log"):
            inputs = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
            requests.append((request.model_spec.signature_name or "serving_default", inputs))
    return requests
