import json
from dataclasses import replace

import pytest

from data_pipeline.errors import DataError
from data_pipeline.records.manifest import Manifest, Shard, Split

SHARD = Shard("train-00000-of-00001.tfrecord", 3, 5, "ab")
MANIFEST = Manifest(
    dataset="folder",
    num_classes=2,
    class_names=("unlabelled", "sky"),
    palette=((40, 40, 40), (1, 2, 3)),
    label_ids={255: 0, 0: 1},
    image_size=(64, 128),
    splits={"train": Split(3, (72, 143), 0.25, (10, 30), 0, (SHARD,))},
    command="python -m data_pipeline.build",
    request={"dataset": "folder"},
    versions={"python": "3"},
)


def test_round_trip(tmp_path):
    for manifest in (MANIFEST, replace(MANIFEST, label_palette={0: (1, 2, 3)})):
        manifest.write(tmp_path)
        assert Manifest.read(tmp_path) == manifest
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_one_of_before_palettes_were_kept(tmp_path):
    MANIFEST.write(tmp_path)
    path = tmp_path / "manifest.json"
    content = json.loads(path.read_text())
    del content["label_palette"]
    path.write_text(json.dumps(content))
    assert Manifest.read(tmp_path) == MANIFEST


def test_missing(tmp_path):
    for directory in (tmp_path, tmp_path / "absent"):
        with pytest.raises(DataError, match=r"no complete data set in .*data_pipeline.build"):
            Manifest.read(directory)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda c: c.update(format_version=99), r"format_version 2.*99"),
        (lambda c: c.pop("palette"), "palette"),
        (lambda c: c.update(class_names=["a"]), "1 class names and 2 colours"),
        (lambda c: c.update(num_classes=3), "class_names has 2 entries, num_classes is 3"),
        (lambda c: c["splits"]["train"]["shards"][0].update(name="../a"), "is no file name"),
        (lambda c: c.update(palette=[[0, 0, 0], [0, 0, 256]]), "0..255"),
        (lambda c: c.update(label_palette={"0": [1, 2]}), "label_palette"),
        (lambda c: c.update(label_palette=[1]), "lacks or contradicts"),
        (lambda c: c["splits"]["train"].pop("shards"), "shards"),
        (lambda c: c["splits"]["train"].update(examples=4), "examples of train"),
        (lambda c: c.update(image_size=[64]), "lacks or contradicts"),
        (lambda c: c.update(splits=[]), "lacks or contradicts"),
    ],
)
def test_wrong_content_names_the_file(tmp_path, change, message):
    MANIFEST.write(tmp_path)
    path = tmp_path / "manifest.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=message) as caught:
        Manifest.read(tmp_path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '"manifest"'])
def test_not_a_manifest(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(DataError, match=r"manifest.json"):
        Manifest.read(tmp_path)


def test_check_shards(tmp_path):
    path = tmp_path / SHARD.name
    with pytest.raises(DataError, match=f"{SHARD.name} must exist"):
        MANIFEST.check_shards(tmp_path)
    path.write_bytes(b"1234")
    with pytest.raises(DataError, match=rf"{SHARD.name} is truncated.*5 bytes. Received: 4"):
        MANIFEST.check_shards(tmp_path)
    path.write_bytes(b"12345")
    MANIFEST.check_shards(tmp_path)
