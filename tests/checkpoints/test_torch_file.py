"""The `.pth` reader: both layouts, and files that are broken or hostile."""

import collections
import io
import pickle
import struct
import zipfile

import numpy as np
import pytest

from oasis_tf.checkpoints.torch_file import TorchFileError, read_state_dict

# A stand-in for torch: pickles written with these names look as PyTorch's own do.
torch_names = {}


class FloatStorage:
    pass


class HalfStorage:
    pass


class LongStorage:
    pass


def _rebuild_tensor_v2(*_):
    raise AssertionError("never called: only its name is pickled")


for thing, module in (
    (FloatStorage, "torch"),
    (HalfStorage, "torch"),
    (LongStorage, "torch"),
    (_rebuild_tensor_v2, "torch._utils"),
):
    torch_names[thing] = f"{module} {thing.__name__}"


class Tensor:
    """Pickles as a torch tensor with one storage of its own."""

    def __init__(self, key, array, storage=FloatStorage, shape=None, strides=None, offset=0):
        self.key, self.array, self.storage = key, np.ascontiguousarray(array), storage
        self.shape = shape if shape is not None else self.array.shape
        strides = strides if strides is not None else self.array.strides
        self.strides = tuple(s // self.array.itemsize for s in strides)
        self.offset = offset

    def __reduce__(self):
        reference = ("storage", self.storage, self.key, "cpu", self.array.size)
        arguments = (Reference(reference), self.offset, self.shape, self.strides, False, {})
        return _rebuild_tensor_v2, arguments


class Reference:
    def __init__(self, content):
        self.content = content


class Pickler(pickle._Pickler):  # the Python one lets the names be replaced
    def persistent_id(self, thing):
        return thing.content if isinstance(thing, Reference) else None

    def save_global(self, thing, name=None):
        if thing in torch_names:
            module, name = torch_names[thing].split()
            self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
        else:
            super().save_global(thing, name)

    dispatch = dict(pickle._Pickler.dispatch)
    dispatch[type(_rebuild_tensor_v2)] = save_global
    dispatch[type] = save_global


def dumps(thing):
    buffer = io.BytesIO()
    Pickler(buffer, protocol=2).dump(thing)
    return buffer.getvalue()


def write_zip(path, state, tensors, data=None):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", dumps(state))
        archive.writestr("x/byteorder", "little")
        for tensor in tensors:
            archive.writestr(f"x/data/{tensor.key}", data or tensor.array.tobytes())


def write_legacy(path, state, tensors):
    with open(path, "wb") as file:
        for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, state):
            file.write(dumps(part))
        file.write(dumps([t.key for t in tensors]))
        for tensor in tensors:
            file.write(struct.pack("<q", tensor.array.size) + tensor.array.tobytes())


@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_both_layouts(tmp_path, rng, write):
    arrays = {
        "weight": rng.normal(size=(2, 3, 1, 4)).astype(np.float32),
        "half": rng.normal(size=(3,)).astype(np.float16),
        "count": np.array(7, np.int64),
    }
    kinds = (FloatStorage, HalfStorage, LongStorage)
    tensors = [
        Tensor(str(i), a, k) for i, (a, k) in enumerate(zip(arrays.values(), kinds, strict=True))
    ]
    state = collections.OrderedDict(zip(arrays, tensors, strict=True))
    write(tmp_path / "a.pth", state, tensors)
    read = read_state_dict(tmp_path / "a.pth")
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


def test_strides_and_offsets(tmp_path):
    array = np.arange(12, dtype=np.float32)
    tensor = Tensor("0", array, shape=(2, 3), strides=(4, 8), offset=5)
    write_zip(tmp_path / "a.pth", {"a": tensor}, [tensor])
    # element (i, j) lies at 5 + i + 2 j
    np.testing.assert_array_equal(read_state_dict(tmp_path / "a.pth")["a"], [[5, 7, 9], [6, 8, 10]])


def test_parity_file_of_pytorch_itself():
    from tests.parity.conftest import BUNDLED

    state = read_state_dict(BUNDLED / "wide" / "latest_D.pth")
    assert state["layer_up_last.weight"].shape == (10, 4, 1, 1)


class Attack:
    def __reduce__(self):
        import os

        return os.system, ("touch hacked",)


@pytest.mark.parametrize("layout", ["zip", "legacy", "plain"])
def test_a_pickle_that_runs_code_is_refused(tmp_path, monkeypatch, layout):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "evil.pth"
    if layout == "zip":
        write_zip(path, {"a": Attack()}, [])
    elif layout == "legacy":
        write_legacy(path, {"a": Attack()}, [])
    else:
        path.write_bytes(pickle.dumps(Attack()))
    with pytest.raises(TorchFileError, match=r"evil.pth: refused: the pickle asks for \w+.system"):
        read_state_dict(path)
    assert not (tmp_path / "hacked").exists()


def test_tensors_beyond_their_storage_are_an_error(tmp_path):
    tensor = Tensor("0", np.zeros(4, np.float32), shape=(5,), strides=(4,))
    write_zip(tmp_path / "a.pth", {"a": tensor}, [tensor])
    with pytest.raises(TorchFileError, match="does not fit its storage"):
        read_state_dict(tmp_path / "a.pth")
    # Broadcasting a small storage into a huge tensor is no state dict's business either.
    tensor = Tensor("0", np.zeros(4, np.float32), shape=(2**20, 2**20), strides=(0, 0))
    write_zip(tmp_path / "b.pth", {"a": tensor}, [tensor])
    with pytest.raises(TorchFileError, match="does not fit its storage"):
        read_state_dict(tmp_path / "b.pth")
    tensor = Tensor("0", np.zeros(4, np.float32), shape=(-1,), strides=(4,))
    write_zip(tmp_path / "c.pth", {"a": tensor}, [tensor])
    with pytest.raises(TorchFileError, match="impossible tensor geometry"):
        read_state_dict(tmp_path / "c.pth")


def test_storage_of_another_size_is_an_error(tmp_path):
    tensor = Tensor("0", np.zeros(4, np.float32))
    write_zip(tmp_path / "a.pth", {"a": tensor}, [tensor], data=b"123")
    with pytest.raises(TorchFileError, match="storage 0 must have 16 bytes. Received: 3"):
        read_state_dict(tmp_path / "a.pth")


def test_other_content_is_an_error(tmp_path):
    write_zip(tmp_path / "a.pth", [1, 2], [])
    with pytest.raises(TorchFileError, match="must hold a dict from names to tensors"):
        read_state_dict(tmp_path / "a.pth")
    with pytest.raises(TorchFileError, match="no such file"):
        read_state_dict(tmp_path / "missing.pth")
    (tmp_path / "empty.pth").write_bytes(b"")
    with pytest.raises(TorchFileError, match=r"empty.pth: not a readable PyTorch file"):
        read_state_dict(tmp_path / "empty.pth")


@pytest.mark.parametrize("write", [write_zip, write_legacy])
def test_cut_or_damaged_files_are_errors_and_never_something_else(tmp_path, rng, write):
    tensor = Tensor("0", rng.normal(size=(3, 4)).astype(np.float32))
    path = tmp_path / "a.pth"
    write(path, {"a": tensor}, [tensor])
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(TorchFileError, match=r"a\.pth: "):
            read_state_dict(path)
    for position in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:  # some bits do not matter: a flipped one in a number is not the reader's to see
            state = read_state_dict(path)
        except TorchFileError:
            continue
        assert all(isinstance(a, np.ndarray) for a in state.values())


def write_pickle(path, data_pkl, storage=b"\0" * 16, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("x/data.pkl", data_pkl)
        archive.writestr("x/data/0", storage)


def test_attributes_cannot_change_what_has_been_checked(tmp_path):
    """BUILD on a tensor: strides that lead out of its storage."""
    tensor = dumps(Tensor("0", np.zeros(4, np.float32)))[:-1]  # without STOP
    strides = dumps({"strides": (10**6,)})[2:-1]  # without PROTO either
    name = dumps("a")[2:-1]
    head = pickle.PROTO + b"\2" + pickle.EMPTY_DICT + name
    hostile = head + tensor[2:] + strides + pickle.BUILD + pickle.SETITEM + pickle.STOP
    write_pickle(tmp_path / "a.pth", hostile)
    state = read_state_dict(tmp_path / "a.pth")
    assert state["a"].strides == (4,) and state["a"].tolist() == [0, 0, 0, 0]


def test_a_huge_memo_costs_nothing(tmp_path):
    """PUT to place 2^31: CPython's own unpickler would lay out all places before it."""
    hostile = pickle.PROTO + b"\2" + pickle.EMPTY_DICT + pickle.LONG_BINPUT + b"\0\0\0\x80"
    write_pickle(tmp_path / "a.pth", hostile + pickle.STOP)
    assert read_state_dict(tmp_path / "a.pth") == {}


def test_an_archive_that_is_larger_inside(tmp_path):
    array = np.zeros(10**6, np.float32)
    state = dumps({"a": Tensor("0", array)})
    write_pickle(tmp_path / "a.pth", state, array.tobytes(), zipfile.ZIP_DEFLATED)
    with pytest.raises(TorchFileError, match="more than its own size"):
        read_state_dict(tmp_path / "a.pth")
