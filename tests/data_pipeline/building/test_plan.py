from pathlib import Path

import pytest

from data_pipeline.building.plan import Request, plan_shards
from data_pipeline.errors import DataError


def resolve(dataset="lvis", **arguments):
    return Request(dataset, Path("src"), **arguments).resolve()


def test_defaults_of_the_data_sets():
    assert resolve().image_size == (256, 256)
    assert resolve("cityscapes").image_size == (256, 512)


def test_training_images_are_stored_with_a_margin():
    assert resolve().stored_size("train") == (286, 286)
    assert resolve().stored_size("val") == (256, 256)
    # 64 * 286 / 256 = 71.5 and 128 * 286 / 256 = 143
    assert resolve(image_size=(64, 128)).stored_size("train") == (72, 143)
    assert resolve(crop=False).stored_size("train") == (256, 256)
    assert resolve("cityscapes").stored_size("train") == (256, 512)


@pytest.mark.parametrize(
    "size, nearest", [((100, 192), "128 192"), ((0, 64), "64 64"), ((-64, 20), "64 64")]
)
def test_other_sizes_are_refused_with_the_nearest(size, nearest):
    with pytest.raises(DataError, match=rf"multiples of 64.*Received: {size[0]} .*{nearest}"):
        resolve(image_size=size)


def test_options_of_other_data_sets():
    assert resolve("folder", options={"unlabelled": "3", "skip_missing": False})
    with pytest.raises(DataError, match=r"--unlabelled must not.*--dataset lvis"):
        resolve(options={"unlabelled": "3"})
    with pytest.raises(DataError, match=r"--dataset must be one of lvis.*mnist"):
        resolve("mnist")


def test_training_order_is_mixed_and_always_the_same():
    shards = plan_shards(range(100), "train", (286, 286))
    order = [item for shard in shards for item in shard.items]
    assert order != list(range(100)) and sorted(order) == list(range(100))
    assert order == [i for s in plan_shards(range(100), "train", (286, 286)) for i in s.items]
    assert [shard.name for shard in shards][3] == "train-00003-of-00008.tfrecord"
    assert {len(shard.items) for shard in shards} == {12, 13}


def test_shard_counts():
    assert len(plan_shards(range(3), "train", (286, 286))) == 3
    assert [shard.items for shard in plan_shards(range(5), "val", (256, 256))] == [[0, 1, 2, 3, 4]]
    assert len(plan_shards(range(2049), "val", (64, 64))) == 3  # 1024 examples each at most
    # 100 MB at 2 bytes a pixel: 1e8 / (256 * 512 * 2) = 381 examples
    assert len(plan_shards(range(1000), "val", (256, 512))) == 3
