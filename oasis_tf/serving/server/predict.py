"""The predict call's JSON: row and column format, by the signature."""

import json

from oasis_tf.serving.server.errors import ApiError, bad_request
from oasis_tf.serving.server.json_reader import parse_json
from oasis_tf.serving.server.tensors import is_base64_object, is_supported, to_array, to_json

DEFAULT_SIGNATURE = "serving_default"


def parse_request(body):
    """Reads a request as far as it goes without knowing the model.

    Args:
        body: bytes.

    Returns:
        (dict, signature name).

    Raises:
        ApiError: 400.
    """
    if not body.strip():
        raise bad_request("JSON Parse error: the body is empty")
    request = parse_json(body)
    if not isinstance(request, dict):
        raise bad_request("the request must be a JSON object with 'instances' or 'inputs'")
    name = request.get("signature_name", "")
    if not isinstance(name, str):
        raise bad_request("'signature_name' must be a string")
    return request, name or DEFAULT_SIGNATURE


def read_inputs(request, dtypes):
    """Reads the tensors of a request.

    Args:
        request: dict from `parse_request`.
        dtypes: dict from the signature's input names to `types_pb2.DataType`.

    Returns:
        (dict from names to arrays, whether the request is in row format).

    Raises:
        ApiError: 400; 501 for a dtype that the column format does not carry.
    """
    if ("instances" in request) == ("inputs" in request):
        raise bad_request("the request must have exactly one of 'instances' and 'inputs'")
    row = "instances" in request
    for name, dtype in dtypes.items():
        if not is_supported(dtype):
            raise ApiError(400 if row else 501, f"input {name!r}: JSON cannot carry its dtype")
    values = _rows(request["instances"], dtypes) if row else _columns(request["inputs"], dtypes)
    return {name: to_array(values[name], dtype, name) for name, dtype in dtypes.items()}, row


def write_outputs(outputs, row):
    """Writes an answer.

    Args:
        outputs: dict from names to arrays.
        row: whether in row format.

    Returns:
        bytes, a JSON object.

    Raises:
        ApiError: 400: outputs without a common dimension 0 in row format, or a dtype that JSON
            cannot carry.
    """
    key = "predictions" if row else "outputs"
    if row:
        _check_rows(outputs)
    if len(outputs) == 1:
        ((name, array),) = outputs.items()
        text = to_json(array, name)
    elif row:
        columns = [
            [
                f"{json.dumps(name)}: {to_json(array[i : i + 1].reshape(array.shape[1:]), name)}"
                for i in range(len(array))
            ]
            for name, array in outputs.items()
        ]
        text = (
            "["
            + ", ".join("{" + ", ".join(fields) + "}" for fields in zip(*columns, strict=True))
            + "]"
        )
    else:
        fields = (f"{json.dumps(n)}: {to_json(array, n)}" for n, array in outputs.items())
        text = "{" + ", ".join(fields) + "}"
    return f'{{\n    "{key}": {text}\n}}\n'.encode()


def _rows(instances, dtypes):
    """Values of `instances`, joined to one nested list per input."""
    if not isinstance(instances, list) or not instances:
        raise bad_request("'instances' must be a non-empty list")
    named = [isinstance(e, dict) and not is_base64_object(e) for e in instances]
    if not any(named):
        if len(dtypes) != 1:
            raise bad_request(f"each instance must be an object with the inputs {sorted(dtypes)}")
        return dict.fromkeys(dtypes, instances)
    if not all(named):
        raise bad_request("'instances' mixes objects and plain values")
    for instance in instances:
        if instance.keys() != dtypes.keys():
            raise bad_request(
                f"each instance must have exactly the inputs {sorted(dtypes)}. "
                f"Received: {sorted(instance)}"
            )
    return {name: [instance[name] for instance in instances] for name in dtypes}


def _columns(inputs, dtypes):
    """Values of `inputs`, one nested list or scalar per input."""
    if not isinstance(inputs, dict) or is_base64_object(inputs):
        if len(dtypes) != 1:
            raise bad_request(f"'inputs' must be an object with the inputs {sorted(dtypes)}")
        return dict.fromkeys(dtypes, inputs)
    missing = sorted(dtypes.keys() - inputs.keys())
    if missing:
        raise bad_request(f"'inputs' lacks {missing}. Received: {sorted(inputs)}")
    return inputs


def _check_rows(outputs):
    sizes = {array.shape[0] if array.ndim else None for array in outputs.values()}
    if len(sizes) != 1 or None in sizes:
        raise bad_request(
            "the outputs must share dimension 0 to be written in rows; use 'inputs' instead of "
            "'instances'"
        )
