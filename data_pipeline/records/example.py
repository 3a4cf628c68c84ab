"""One record of a shard: a `tf.train.Example` with `image`, `label_map` and `name`.

The image is a lossless WebP file, in records of format 2 a PNG; the label map is a PNG. Written
here as the bytes that TensorFlow would make of it, for TensorFlow takes seconds to import, in which
the other processes of a build would have to wait.
"""


def serialize(image, label_map, name):
    """Serializes one example.

    Args:
        image: bytes of the encoded photograph.
        label_map: bytes of the encoded label map.
        name: str, unique within the split.

    Returns:
        bytes.
    """
    values = {b"image": image, b"label_map": label_map, b"name": name.encode()}
    # Messages of tensorflow/core/example, from the outside in: Example, Features, an entry of its
    # map, Feature, BytesList. In each, what we write is field 1; of an entry, field 2 is the value.
    entries = (
        _field(1, _field(1, key) + _field(2, _field(1, _field(1, value))))
        for key, value in values.items()
    )
    return _field(1, b"".join(entries))


def _field(number, content):
    """A field of protocol buffers that holds bytes or a message."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value):
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    digits = bytearray()
    while value > 127:
        digits.append(value & 127 | 128)
        value >>= 7
    return bytes([*digits, value])
