"""The line on what to do next: the small preset where the large one would be in vain."""

import pytest

from data_pipeline.building.summary import Findings, summarise
from data_pipeline.records.manifest import Manifest, Shard, Split


def lines(examples, gpu, split="train"):
    shard = Shard("train-00000-of-00001.tfrecord", examples, 5, "ab")
    manifest = Manifest(
        dataset="folder",
        num_classes=2,
        class_names=("unlabelled", "sky"),
        palette=((40, 40, 40), (1, 2, 3)),
        label_ids=None,
        image_size=(64, 128),
        splits={split: Split(examples, (72, 143), 0.25, (10, 30), 0, (shard,))},
        command="",
        request={},
        versions={},
    )
    return summarise(manifest, "data/mine", Findings({}, {}), gpu=gpu)


@pytest.mark.parametrize(
    "examples, gpu, why",
    [
        (5000, True, None),
        (4999, True, "the set has fewer than 5,000 pictures to train on"),
        (5000, False, "this machine has no GPU"),
    ],
)
def test_the_small_preset(examples, gpu, why):
    command = (
        "python -m oasis_tf.train --dataset folder --data_dir data/mine --model_dir runs/folder"
    )
    *_, last = found = lines(examples, gpu)
    if why is None:
        assert last == f"  next          {command}"
    else:
        assert found[-2] == f"  next          {command} --toy"
        assert last.strip() == f"--toy, the small preset, because {why}"


def test_a_set_to_evaluate_on_has_nothing_to_train_on():
    assert "--toy" in lines(9000, True, split="val")[-1]
