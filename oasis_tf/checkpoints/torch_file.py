"""Reads and writes the tensors of a PyTorch `.pth` file without PyTorch.

A `.pth` file is a pickle, and unpickling runs whatever the file says. This reader resolves only
the dozen names that a state dict of tensors needs and refuses every other one, so that a
malicious file ends in an error. Both layouts are read: the zip archive of PyTorch 1.6 and later,
and the stream of pickles before it; the zip archive is written.
"""

import collections
import pickle
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np

from data_pipeline.errors import OasisError
from data_pipeline.files import publish

_DTYPES = {
    "DoubleStorage": np.dtype("<f8"),
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("<i1"),
    "ByteStorage": np.dtype("<u1"),
    "BoolStorage": np.dtype("?"),
}
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C


class TorchFileError(OasisError, ValueError):
    """The file is not a readable PyTorch state dict; the message names it and says why."""


def read_state_dict(path):
    """Reads a state dict.

    Args:
        path: a `.pth` file holding a (possibly ordered) dict from names to tensors.

    Returns:
        dict from str to `np.ndarray` with the file's shapes and dtypes, in file order.

    Raises:
        TorchFileError: missing, malformed or truncated file, a pickle that asks for anything but
            tensors, or something else than a dict of tensors.
    """
    path = Path(path)
    if not path.is_file():
        raise TorchFileError(f"{path}: no such file.")
    try:
        state = _read_zip(path) if zipfile.is_zipfile(path) else _read_legacy(path)
    except TorchFileError as error:
        raise TorchFileError(f"{path}: {error}") from None
    # Whatever a malformed pickle makes the unpickler do wrong is the file's fault.
    except Exception as error:
        raise TorchFileError(
            f"{path}: not a readable PyTorch file ({type(error).__name__}: {error})."
        ) from error
    if not isinstance(state, dict) or not all(
        isinstance(k, str) and isinstance(v, np.ndarray) for k, v in state.items()
    ):
        raise TorchFileError(
            f"{path}: must hold a dict from names to tensors. Received: {type(state).__name__}"
        )
    return dict(state)


def write_state_dict(path, state):
    """Writes a state dict that `torch.load` reads, with `weights_only` too.

    Args:
        path: the `.pth` file, which is complete as soon as it is there.
        state: iterable of (name, array) pairs, float32 or int64; each array is asked for once and
            not kept.
    """
    temporary = f"{path}.tmp"
    entries = []
    with zipfile.ZipFile(temporary, "w") as archive:
        for key, (name, array) in enumerate(state):
            array = np.asarray(array, order="C")
            entries.append(_pickled_entry(name, key, array))
            archive.writestr(f"archive/data/{key}", array.reshape(-1).view(np.uint8))
        head, tail = pickle.PROTO + b"\x02" + pickle.EMPTY_DICT + pickle.MARK, pickle.SETITEMS
        archive.writestr("archive/data.pkl", head + b"".join(entries) + tail + pickle.STOP)
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/version", "3\n")
    publish(temporary, path)


_STORAGES = {dtype: name for name, dtype in _DTYPES.items()}


def _pickled_entry(name, key, array):
    """The opcodes of one `name: _rebuild_tensor_v2(storage, 0, shape, strides, False, {})`."""
    strides = [stride // array.itemsize for stride in array.strides]
    storage = [
        _pickled_text("storage"),
        _pickled_global("torch", _STORAGES[array.dtype]),
        _pickled_text(str(key)),
        _pickled_text("cpu"),
        _pickled_int(array.size),
    ]
    hooks = _pickled_global("collections", "OrderedDict") + pickle.EMPTY_TUPLE + pickle.REDUCE
    arguments = [
        _pickled_tuple(storage) + pickle.BINPERSID,
        _pickled_int(0),
        _pickled_tuple(map(_pickled_int, array.shape)),
        _pickled_tuple(map(_pickled_int, strides)),
        pickle.NEWFALSE,
        hooks,
    ]
    rebuild = _pickled_global("torch._utils", "_rebuild_tensor_v2")
    return _pickled_text(name) + rebuild + _pickled_tuple(arguments) + pickle.REDUCE


def _pickled_text(text):
    data = text.encode()
    return pickle.BINUNICODE + struct.pack("<I", len(data)) + data


def _pickled_int(number):
    return pickle.BININT + struct.pack("<i", number)


def _pickled_tuple(items):
    return pickle.MARK + b"".join(items) + pickle.TUPLE


def _pickled_global(module, name):
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


class _StorageType:
    """Stands for a torch storage class inside the pickle."""

    def __init__(self, dtype):
        self.dtype = dtype


class _Tensor:
    """A tensor whose bytes are read later (the old layout keeps them behind the pickle)."""

    def __init__(self, storage, offset, shape, strides):
        sizes = (offset, *shape, *strides)
        if not all(isinstance(n, int) and 0 <= n < 2**48 for n in sizes):
            raise TorchFileError(f"impossible tensor geometry {sizes}")
        if len(shape) != len(strides):
            raise TorchFileError(f"shape {shape} and strides {strides} differ in length")
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def to_numpy(self, arrays):
        flat = arrays[self.storage]
        size = int(np.prod(self.shape, dtype=object)) if self.shape else 1
        if size:
            last = self.offset + sum(
                (n - 1) * s for n, s in zip(self.shape, self.strides, strict=True)
            )
            if last >= flat.size or size > flat.size:
                raise TorchFileError(
                    f"a tensor of shape {self.shape} does not fit its storage of {flat.size}"
                )
        strides = tuple(s * flat.itemsize for s in self.strides)
        return np.lib.stride_tricks.as_strided(flat[self.offset :], self.shape, strides)


def _rebuild_tensor(storage, offset, shape, strides, *_):
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


def _rebuild_parameter(tensor, *_):
    return tensor


class _Unpickler(pickle._Unpickler):
    """Resolves the names of a tensor state dict and nothing else.

    Python's own form of the unpickler: the one in C lets a few bytes claim any amount of memory.
    """

    _NAMES = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
        ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
        **{("torch", name): _StorageType(dtype) for name, dtype in _DTYPES.items()},
    }

    def _drop_attributes(self):
        self.stack.pop()

    # PyTorch gives its dict an attribute that nobody here needs. Attributes of a tensor or a
    # storage type could turn what has been checked into something else.
    dispatch = {**pickle._Unpickler.dispatch, pickle.BUILD[0]: _drop_attributes}

    def __init__(self, file):
        super().__init__(file, encoding="utf-8")
        self.storages = {}  # key -> (dtype, number of elements)

    def find_class(self, module, name):
        try:
            return self._NAMES[module, name]
        except KeyError:
            raise TorchFileError(
                f"refused: the pickle asks for {module}.{name}, which no state dict of tensors "
                "needs."
            ) from None

    def persistent_load(self, reference):
        kind, storage_type, key, _, size, *view = reference
        if kind != "storage" or not isinstance(storage_type, _StorageType):
            raise TorchFileError("refused: an unknown kind of stored object.")
        if view and view[0] is not None:
            raise TorchFileError("refused: views of storages, as only PyTorch 0.x wrote them.")
        self.storages[str(key)] = (storage_type.dtype, int(size))
        return str(key)


def _materialise(state, arrays):
    if not isinstance(state, dict):
        return state
    return {k: v.to_numpy(arrays) if isinstance(v, _Tensor) else v for k, v in state.items()}


def _read_zip(path):
    with zipfile.ZipFile(path) as archive:
        # Before anything is read: an archive can hold the same bytes many times, or packed, and so
        # fill any memory. PyTorch packs nothing.
        if sum(info.file_size for info in archive.infolist()) > path.stat().st_size:
            raise TorchFileError("the archive must not hold more than its own size.")
        pickles = [n for n in archive.namelist() if n.split("/")[1:] == ["data.pkl"]]
        if len(pickles) != 1:
            raise TorchFileError("the archive holds no data.pkl, so PyTorch did not write it.")
        root = pickles[0].removesuffix("data.pkl")
        if f"{root}byteorder" in archive.namelist():
            order = archive.read(f"{root}byteorder").decode()
            if order != "little":
                raise TorchFileError(f"byte order must be little. Received: {order!r}")
        with archive.open(pickles[0]) as file:
            unpickler = _Unpickler(file)
            state = unpickler.load()
        arrays = {}
        for key, (dtype, size) in unpickler.storages.items():
            info = archive.getinfo(f"{root}data/{key}")
            if info.file_size != size * dtype.itemsize:
                raise TorchFileError(
                    f"storage {key} must have {size * dtype.itemsize} bytes. "
                    f"Received: {info.file_size}"
                )
            arrays[key] = np.frombuffer(archive.read(info), dtype)
    return _materialise(state, arrays)


def _read_legacy(path):
    with open(path, "rb") as file:
        if _Unpickler(file).load() != _LEGACY_MAGIC:
            raise TorchFileError("not a PyTorch file.")
        _Unpickler(file).load()  # protocol version
        machine = _Unpickler(file).load()
        if not machine.get("little_endian", sys.byteorder == "little"):
            raise TorchFileError("byte order must be little. Received: 'big'")
        unpickler = _Unpickler(file)
        state = unpickler.load()
        keys = [str(k) for k in _Unpickler(file).load()]
        if sorted(keys) != sorted(unpickler.storages):
            raise TorchFileError("the list of storages does not match the tensors.")
        arrays = {}
        for key in keys:
            dtype, size = unpickler.storages[key]
            (stored,) = struct.unpack("<q", file.read(8))
            data = file.read(size * dtype.itemsize)
            if stored != size or len(data) != size * dtype.itemsize:
                raise TorchFileError(f"storage {key} is truncated.")
            arrays[key] = np.frombuffer(data, dtype)
    return _materialise(state, arrays)
