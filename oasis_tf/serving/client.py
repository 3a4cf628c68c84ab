"""A small client of the REST API, for TensorFlow Serving and the local server alike."""

import base64
import http.client
import io
import json
import time
import urllib.parse

import numpy as np
from PIL import Image

from data_pipeline.labels.model_png import encode_for_model
from data_pipeline.records.png import encode_label_map
from oasis_tf.sampling.arguments import to_label_map, to_mask, to_seed_map
from oasis_tf.sampling.seeds import sample_seeds

# Names of tensor types in a model's metadata -> NumPy's.
_DTYPES = {
    "DT_FLOAT": np.float32,
    "DT_DOUBLE": np.float64,
    "DT_INT8": np.int8,
    "DT_INT16": np.int16,
    "DT_INT32": np.int32,
    "DT_INT64": np.int64,
    "DT_UINT8": np.uint8,
    "DT_UINT32": np.uint32,
    "DT_UINT64": np.uint64,
    "DT_BOOL": np.bool_,
    "DT_STRING": object,
}


class ServingError(RuntimeError):
    """The server answered with an error.

    Attributes:
        status: the HTTP status.
    """

    def __init__(self, status, message):
        super().__init__(f"{message} (HTTP {status})")
        self.status = status


class Client:
    """Calls one model of one server over a connection that stays open; not for several threads.

    Args:
        url: of the server, `http://HOST:PORT`.
        model: the model's name.
        timeout: seconds to wait for an answer. Defaults to 60.

    Raises:
        ValueError: `url` is none.
    """

    def __init__(self, url, model, *, timeout=60):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"`url` must be http(s)://HOST[:PORT]. Received: {url!r}")
        secure = parts.scheme == "https"
        connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        self._connection = connect(parts.hostname, parts.port, timeout=timeout)
        self._path = f"{parts.path.rstrip('/')}/v1/models/{urllib.parse.quote(model, safe='')}"
        self._metadata = None
        self._description = None

    def close(self):
        """Closes the connection; the next call opens another."""
        self._connection.close()

    def status(self):
        """The versions and their states: list of dicts, highest version first."""
        return self._call("GET", "")["model_version_status"]

    def wait_until_available(self, seconds=60):
        """Returns once a version can be called.

        Raises:
            TimeoutError: none can after `seconds`.
        """
        end = time.monotonic() + seconds
        while True:
            try:
                if any(version["state"] == "AVAILABLE" for version in self.status()):
                    return
                reason = "no version is available"
            except (OSError, http.client.HTTPException, ServingError) as error:
                reason = error
            if time.monotonic() > end:
                raise TimeoutError(f"the model did not become available: {reason}")
            time.sleep(0.1)

    def metadata(self):
        """The signatures: dict from names to TensorFlow Serving's `SignatureDef` JSON."""
        answer = self._call("GET", "/metadata")
        return answer["metadata"]["signature_def"]["signature_def"]

    def predict(self, inputs, *, signature="serving_default"):
        """Calls a signature.

        Args:
            inputs: dict from input names to arrays or nested lists; bytes are sent as base64.
            signature: its name.

        Returns:
            dict from output names to arrays; bytes objects where the output is `*_bytes`.

        Raises:
            ServingError: the server refused.
            OSError: it cannot be reached.
        """
        request = {
            "signature_name": signature,
            "inputs": {name: _to_json(value) for name, value in inputs.items()},
        }
        outputs = self._call("POST", ":predict", request)["outputs"]
        infos = self._outputs_of(signature)
        if len(infos) == 1:
            # TensorFlow Serving leaves out the name of an only output.
            outputs = {next(iter(infos)): outputs}
        return {name: _from_json(value, infos[name]["dtype"]) for name, value in outputs.items()}

    def describe(self):
        """What the exported model says of itself: dict with `class_names`, `palette` and more."""
        return json.loads(self.predict({"index": [0]}, signature="describe")["model_json"][0])

    def synthesize(self, label_map, *, seed=0):
        """Draws a picture.

        Args:
            label_map: int (H, W), ids of the model's classes.
            seed: int in [0, 2^31), or int (H, W) in [0, 65535]: the seed of each pixel.

        Returns:
            uint8 (H, W, 3).

        Raises:
            DataError (a ValueError): an argument that is not as above.
            ServingError, OSError: as for `predict`.
        """
        label_map = self._check(label_map)
        inputs = {"label_map_bytes": [self._encode(label_map)]}
        if np.ndim(seed) > 0:
            seed_map = to_seed_map(seed, label_map.shape)
            inputs["seed_map_bytes"] = [encode_label_map(seed_map)]
            return _picture(self.predict(inputs, signature="regions_png"))
        inputs["seed"] = sample_seeds(seed, 1)
        return _picture(self.predict(inputs, signature="synthesize_png"))

    def edit(self, label_map, mask, *, seed=0, edit_seed=1):
        """Draws a picture whose noise inside of a mask is that of another seed.

        Args:
            label_map: int (H, W), ids of the model's classes.
            mask: bool, int or float array (H, W), not 0 inside.
            seed: int in [0, 2^31), outside of the mask.
            edit_seed: the same, inside.

        Returns:
            uint8 (H, W, 3).

        Raises:
            DataError (a ValueError): an argument that is not as above, or an empty mask.
            ServingError, OSError: as for `predict`.
        """
        label_map = self._check(label_map)
        inputs = {
            "label_map_bytes": [self._encode(label_map)],
            "mask_bytes": [encode_label_map(to_mask(mask, label_map.shape))],
            "seed": sample_seeds(seed, 1),
            "edit_seed": sample_seeds(edit_seed, 1, "edit_seed"),
        }
        return _picture(self.predict(inputs, signature="edit_png"))

    def _check(self, label_map):
        if self._description is None:
            self._description = self.describe()
        return to_label_map(label_map, self._description["num_classes"])

    def _encode(self, label_map):
        return encode_for_model(label_map, self._description)

    def _outputs_of(self, signature):
        if self._metadata is None or signature not in self._metadata:
            self._metadata = self.metadata()
        return self._metadata[signature]["outputs"]

    def _call(self, method, what, request=None):
        body = None if request is None else json.dumps(request).encode()
        try:
            self._connection.request(method, self._path + what, body)
            response = self._connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # The server closed the idle connection; the calls change nothing, so once more.
            self._connection.close()
            self._connection.request(method, self._path + what, body)
            response = self._connection.getresponse()
        content = response.read()
        try:
            answer = json.loads(content)
        except ValueError:
            raise ServingError(response.status, content[:200].decode("utf-8", "replace")) from None
        if response.status != 200:
            raise ServingError(response.status, answer.get("error", "unknown error"))
        return answer


def _to_json(value):
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode("ascii")}
    if isinstance(value, (list, tuple)):
        return [_to_json(element) for element in value]
    return value.item() if isinstance(value, np.generic) else value


def _from_json(value, dtype):
    if dtype != "DT_STRING":
        return np.array(value, _DTYPES.get(dtype))
    return _strings(value)


def _strings(value):
    """Nested lists of strings and base64 objects -> object array of str and bytes."""
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    if not isinstance(value, list):
        return value
    array = np.empty(len(value), object)
    array[:] = [_strings(element) for element in value]
    return array


def _picture(outputs):
    with Image.open(io.BytesIO(outputs["image_bytes"][0])) as picture:
        return np.asarray(picture.convert("RGB"))
