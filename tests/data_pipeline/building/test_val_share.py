"""The part that is set aside: how many, and always the same ones."""

from pathlib import Path

import pytest

from data_pipeline.building.val_share import set_aside
from data_pipeline.datasets.dataset import Dataset, Item
from data_pipeline.errors import DataError
from data_pipeline.records.manifest import Manifest
from tests.data_pipeline.helpers import records, refused
from tests.data_pipeline.sources import write_folder


def dataset(count, **more):
    items = [Item(f"{i:03d}", Path(f"{i}.jpg"), Path(f"{i}.png")) for i in range(count)]
    return Dataset(("unlabelled", "sky"), {"train": items, **more}, None)


def names(items):
    return [item.name for item in items]


@pytest.mark.parametrize(
    "count, share, val", [(100, 0.1, 10), (15, 0.1, 2), (4, 0.1, 1), (2, 0.9, 1)]
)
def test_counts(count, share, val):
    found = set_aside(dataset(count), share).items
    assert list(found) == ["train", "val"] and len(found["val"]) == val
    assert sorted(names(found["train"]) + names(found["val"])) == names(
        dataset(count).items["train"]
    )
    assert names(found["val"]) == sorted(names(found["val"]))  # source order


def test_names_alone_decide():
    before, after = (set_aside(dataset(count), 0.1).items for count in (200, 220))
    assert before == set_aside(dataset(200), 0.1).items
    # Of the 22 at most the two of the new places and those that new names have pushed out differ.
    assert len({*names(before["val"])} & {*names(after["val"])}) >= 16
    assert names(before["val"]) != [f"{i:03d}" for i in range(20)]


def test_not_where_there_is_a_val_split_or_nothing_to_share():
    with pytest.raises(DataError, match="without a val split. Received: 3 train and 0 val"):
        set_aside(dataset(3, val=[]), 0.1)
    with pytest.raises(DataError, match="Received: 1"):
        set_aside(dataset(1), 0.1)


def test_build_stores_it(run, tmp_path, out):
    source = write_folder(tmp_path / "own", train=10, val=0)
    for kind in ("images", "labels"):  # a flat layout
        for path in (source / kind / "train").iterdir():
            path.rename(source / kind / path.name)
        (source / kind / "train").rmdir()
    code, summary, _ = run("folder", source, out, "--val_share", "0.3")
    assert code == 0 and "7 train, 3 val" in summary
    assert Manifest.read(out).request["val_share"] == 0.3
    assert "complete already" in run("folder", source, out, "--val_share", "0.3")[1]
    run("folder", source, tmp_path / "val", "--val_share", "0.3", "--split", "val")
    assert [r["name"] for r in records(tmp_path / "val", "val")] == [
        r["name"] for r in records(out, "val")
    ]
    assert "10 train" in run("folder", source, tmp_path / "all")[1]
    assert "between 0 and 1. Received: 1.5" in refused(
        run, tmp_path / "new", "folder", source, tmp_path / "new", "--val_share", "1.5"
    )
