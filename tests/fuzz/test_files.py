"""Spoilt files at every reader: the documented error or what the file says, and nothing else."""

import io
import json
import pickle
import shutil
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st
from PIL import Image

from data_pipeline.datasets.pictures import label_ids, open_label, open_rgb
from data_pipeline.downloading.unpack import unpack
from data_pipeline.errors import DataError
from data_pipeline.labels.class_list import read_class_list
from data_pipeline.labels.label_files import read_label_map
from data_pipeline.labels.legend import Legend
from data_pipeline.reading.reader import (
    READ_ERRORS,
    eval_dataset,
    explain_read_error,
    train_dataset,
)
from data_pipeline.records.manifest import Manifest, Shard, Split
from oasis_tf.checkpoints.run_dir import open_run_dir
from oasis_tf.checkpoints.torch_file import TorchFileError, read_state_dict, write_state_dict
from oasis_tf.config import ConfigError, load_config, save_config
from oasis_tf.serving.server.errors import ApiError
from oasis_tf.serving.server.json_reader import parse_json
from tests.fuzz.fuzz import fuzz
from tests.fuzz.mutations import changed_bytes, changed_json
from tests.toy_data import build_records
from tests.toy_model import toy_config

LEGEND = Legend(("unlabelled", "sky", "sea"), ((0, 0, 0), (0, 0, 250), (0, 90, 90)))
SIZE = (9, 13)


def picture_bytes(mode, kind, **options):
    rng = np.random.default_rng(0)
    shape = (*SIZE, 3) if mode == "RGB" else SIZE
    array = rng.integers(0, 3, shape).astype(np.uint16 if mode == "I;16" else np.uint8)
    image = Image.fromarray(array)
    if mode == "P":
        image.putpalette([0, 0, 0, 0, 0, 250, 0, 90, 90])
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


PICTURES = [
    picture_bytes("RGB", "JPEG"),
    picture_bytes("RGB", "JPEG", progressive=True),
    picture_bytes("L", "JPEG"),
    picture_bytes("RGB", "PNG"),
    picture_bytes("L", "PNG"),
    picture_bytes("I;16", "PNG"),
    picture_bytes("P", "PNG"),
]


@pytest.fixture(autouse=True)
def no_warnings_of_pillow():
    """It warns of what is odd in a file that it can read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@fuzz(100, 8000, content=st.sampled_from(PICTURES).flatmap(changed_bytes))
def test_pictures(content):
    """A picture is whole or refused: never a part of one without a word."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "a.png"
        path.write_bytes(content)
        for read, check in (
            (open_rgb, lambda image: image.mode == "RGB" and min(image.size) > 0),
            (lambda p: label_ids(open_label(p), p), lambda ids: ids.dtype == np.int32),
            (lambda p: read_label_map(p, LEGEND), lambda ids: ids.min() >= 0 and ids.max() < 3),
        ):
            try:
                result = read(path)
            except DataError as error:
                assert str(path) in str(error)
            else:
                assert check(result)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX"])
@pytest.mark.parametrize("kind", ["TIFF", "PNG"])
def test_pictures_of_any_mode(tmp_path, mode, kind):
    check_mode(tmp_path, mode, kind)


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB", "I", "F", "I;16"])
def test_pictures_of_rare_modes(tmp_path, mode):
    check_mode(tmp_path, mode, "TIFF")


def check_mode(tmp_path, mode, kind):
    path = tmp_path / "a"
    try:
        Image.new(mode, (4, 3)).save(path, kind)
    except OSError:
        pytest.skip(f"{kind} has no {mode}")
    for read in (open_rgb, lambda p: read_label_map(p, LEGEND)):
        try:
            read(path)
        except DataError as error:
            assert str(path) in str(error)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return build_records(tmp_path_factory.mktemp("fuzz"), images=2, val_images=2)


@fuzz(6, 400, data=st.data())
def test_records(records, data):
    """Every changed byte is found: lengths and contents have checksums."""
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "records"
        shutil.copytree(records, copy)
        shard = min(copy.glob("val*"))
        whole = shard.read_bytes()
        shard.write_bytes(data.draw(changed_bytes(whole)))
        changed = shard.read_bytes() != whole
        try:
            for _ in eval_dataset(copy, batch_size=2):
                pass
        except DataError as error:
            assert shard.name in str(error)
        except READ_ERRORS as error:
            explained = explain_read_error(copy, error)
            assert isinstance(explained, DataError) and shard.name in str(explained)
        else:
            assert not changed


SOUND = {
    "image": picture_bytes("RGB", "PNG"),
    "label_map": picture_bytes("I;16", "PNG"),
    "name": b"a",
}


def serialized(values):
    """A record of these bytes."""
    feature = {
        key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for key, value in values.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def write_shard(path, record):
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(record)


@pytest.fixture(scope="module")
def one_record(tmp_path_factory):
    """A data set of one record, and what reads it; the shard may be written anew."""
    root = tmp_path_factory.mktemp("one")
    write_shard(root / "a", serialized(SOUND))
    shard = Shard("a", examples=1, bytes=(root / "a").stat().st_size, sha256="")
    split = Split(1, SIZE, 0.0, (0, 0, 0), 0, (shard,))
    names, palette = LEGEND.class_names, LEGEND.palette
    Manifest("folder", 3, names, palette, None, SIZE, {"train": split}, "", {}, {}).write(root)
    datasets = (
        train_dataset(root, batch_size=1, seed=0).take(1),
        eval_dataset(root, batch_size=1, split="train"),
    )
    return root, datasets


@fuzz(10, 500, data=st.data())
def test_records_whose_checksum_fits(one_record, data):
    """Somebody else's writer: the content is strange, and no checksum says so."""
    root, datasets = one_record
    key = data.draw(st.sampled_from(sorted(SOUND)))
    record = serialized({**SOUND, key: data.draw(changed_bytes(SOUND[key]))})
    if data.draw(st.booleans()):
        record = data.draw(changed_bytes(record))
    write_shard(root / "a", record)
    for dataset in datasets:
        try:
            batches = list(dataset)
        except READ_ERRORS as error:
            assert isinstance(explain_read_error(root, error), DataError)
        else:
            assert [batch["image"].shape for batch in batches] == [(1, *SIZE, 3)]


@pytest.fixture(scope="module")
def texts(records, tmp_path_factory):
    """The JSON files of a data set and a run: {name: text}."""
    model_dir = tmp_path_factory.mktemp("fuzz")
    save_config(model_dir, toy_config(), {**LEGEND.to_json(), "shards": {}})
    return {
        "manifest.json": (records / "manifest.json").read_text(),
        "config.json": (model_dir / "config.json").read_text(),
    }


@fuzz(50, 5000, data=st.data())
def test_manifests(texts, data):
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "manifest.json"
        path.write_bytes(data.draw(changed_json(texts["manifest.json"])))
        try:
            manifest = Manifest.read(directory)
        except DataError as error:
            assert str(path) in str(error)
            return
        Legend.of(manifest).to_ours(np.zeros((2, 2), np.int32) + max(manifest.label_ids or {0}))
        for split in manifest.splits:
            with pytest.raises(DataError, match="must exist"):
                manifest.check_shards(directory, [split])
        manifest.write(directory)
        assert Manifest.read(directory) == manifest


@fuzz(50, 5000, data=st.data())
def test_configurations(texts, data):
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "config.json"
        path.write_bytes(data.draw(changed_json(texts["config.json"])))
        try:
            config, _ = load_config(directory)
            model = open_run_dir(directory)
        except ConfigError as error:
            assert str(path) in str(error)
            return
        assert all(side % 64 == 0 for side in config.image_size)
        assert model.legend.num_classes == len(model.legend.palette)


CLASSES = json.dumps([{"name": "sky", "color": [1, 2, 3]}, {"name": "sea", "color": [9, 9, 9]}])


@fuzz(40, 3000, content=changed_json(CLASSES))
def test_class_lists(content):
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "class_names.json"
        path.write_bytes(content)
        try:
            classes = read_class_list(path)
        except DataError as error:
            assert str(path) in str(error)
        else:
            assert classes.names and all(isinstance(name, str) for name in classes.names)


@fuzz(50, 5000, body=changed_json('{"instances": [{"seed": 1}], "signature_name": "x"}'))
def test_requests(body):
    try:
        parse_json(body)
    except ApiError as error:
        assert error.status == 400


def torch_bytes():
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "a.pth"
        state = {"a.weight": np.arange(12, dtype=np.float32).reshape(3, 4), "n": np.int64(5)}
        write_state_dict(path, state.items())
        return path.read_bytes()


@fuzz(100, 8000, content=changed_bytes(torch_bytes()))
def test_torch_files(content):
    read_torch(content)


def pickle_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read("archive/data.pkl")


@fuzz(120, 10_000, changed=changed_bytes(pickle_of(torch_bytes())))
def test_torch_files_whose_archive_is_sound(changed):
    """The zip archive's checksums would catch most; whoever means it writes new ones."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(torch_bytes())) as old,
        zipfile.ZipFile(buffer, "w") as archive,
    ):
        for name in old.namelist():
            archive.writestr(name, changed if name.endswith("data.pkl") else old.read(name))
    read_torch(buffer.getvalue())


def legacy_bytes():
    """The layout before PyTorch 1.6: pickles one after the other, then the storages."""
    state = pickle_of(torch_bytes())
    parts = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}]
    head = b"".join(pickle.dumps(part, 2) for part in parts)
    floats = (12).to_bytes(8, "little") + np.arange(12, dtype=np.float32).tobytes()
    count = (1).to_bytes(8, "little") + np.int64(5).tobytes()
    return head + state + pickle.dumps(["0", "1"], 2) + floats + count


@fuzz(100, 8000, content=changed_bytes(legacy_bytes()))
def test_old_torch_files(content):
    assert len(read_torch(legacy_bytes())) == 2
    read_torch(content)


def read_torch(content):
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "a.pth"
        path.write_bytes(content)
        try:
            state = read_state_dict(path)
        except TorchFileError as error:
            assert str(path) in str(error)
            return None
        # Every element is read, so that memory that is not the file's would be found.
        assert all(isinstance(k, str) and v.copy().nbytes >= 0 for k, v in state.items())
        return state


def zip_bytes(method):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("images/a.txt", b"a" * 300)
        archive.writestr("b.txt", bytes(range(200)))
    return buffer.getvalue()


ZIPS = [zip_bytes(zipfile.ZIP_STORED), zip_bytes(zipfile.ZIP_DEFLATED), zip_bytes(zipfile.ZIP_LZMA)]


@fuzz(100, 5000, content=st.sampled_from(ZIPS).flatmap(changed_bytes))
def test_archives(content):
    """Members are whole or not there, and all below the target."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "a.zip").write_bytes(content)
        try:
            unpack(root / "a.zip", root / "in" / "target")
        except DataError as error:
            assert str(root / "a.zip") in str(error)
        outside = [p for p in root.rglob("*") if p.is_file() and root / "in" not in p.parents]
        assert outside == [root / "a.zip"]
