"""The judge's score, with a generator and a segmenter whose answers are known."""

import numpy as np
import pytest

from data_pipeline.errors import DataError
from data_pipeline.manifest import Manifest
from oasis_tf.metrics.segmentation_network import build_segmentation_network
from oasis_tf.metrics.segmenter import Segmenter, save_segmenter
from oasis_tf.train import main
from oasis_tf.training import loop
from oasis_tf.training.judge_score import JudgeScore
from tests.toy_data import CLASSES, build_records
from tests.training.test_loop import config
from tests.training.test_score import FakeGenerator, batches

NAMES = ("unlabelled", "a", "b", "c")


def judge(names=NAMES[1:]):
    # The fake generator paints the number of the class; -1..1 becomes a byte and back.
    return Segmenter(
        lambda pictures: np.clip(np.round(pictures[..., 0]).astype(int) - 1, 0, 2),
        names,
        0,
        127.5,
        {},
    )


class Painter(FakeGenerator):
    """Paints 0, 1 and 2 as -1, 0 and 1, what pictures may have."""

    def __call__(self, label_map, noise):
        return super().__call__(label_map, noise) - 1


def test_by_hand():
    # Class 2 is painted as class 1.
    label_maps = np.array([[[1, 1, 2, 0]], [[2, 1, 0, 0]], [[1, 1, 0, 0]]])
    score = JudgeScore(Painter([0, 1, 1, 1]), judge(), NAMES, seed=0)
    for batch_size in (1, 2):
        result = score(batches(label_maps, batch_size))
        # class 1: 5 hits of 7 answers; class 2: none.
        assert result["judge/miou"] == pytest.approx(5 / 7 / 2)
        assert result["judge/accuracy"] == pytest.approx(5 / 7)


def test_nothing_labelled():
    score = JudgeScore(Painter([0, 1, 1, 1]), judge(), NAMES, seed=0)
    assert score(batches(np.zeros((1, 1, 4), int), 1)) == {"judge/miou": 0, "judge/accuracy": 0}


def test_no_class_in_common():
    with pytest.raises(DataError, match="classes in common"):
        JudgeScore(Painter([0, 1, 1, 1]), judge(["x", "y", "z"]), NAMES, seed=0)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return build_records(tmp_path_factory.mktemp("data"))


def test_a_run_keeps_what_the_judge_likes_best(records, tmp_path):
    (tmp_path / "judge").mkdir()
    save_segmenter(tmp_path / "judge", build_segmentation_network(3, 1), CLASSES)
    judged = config(segmenter=str(tmp_path / "judge"))
    (tmp_path / "run").mkdir()
    run = loop.Run(judged, Manifest.read(records), records, tmp_path / "run")
    assert isinstance(run._judge, JudgeScore)
    run._score = lambda batches: {"score/miou": 1.0}
    for step, score in ((1, 0.2), (2, 0.5), (3, 0.3)):
        run._judge = lambda batches, score=score: {"judge/miou": score}
        run._evaluate(step)
    assert float(run._best_score.numpy()) == pytest.approx(0.5)
    assert run._best.latest_checkpoint.endswith("step-2")


def test_no_judge(records, tmp_path, capsys):
    arguments = ["--dataset", "folder", "--toy", "--batch_size", "2", "--data_dir", str(records)]
    arguments += ["--model_dir", str(tmp_path / "run"), "--segmenter", str(tmp_path / "missing")]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert "train_segmenter writes one" in error and "Traceback" not in error
    assert not (tmp_path / "run").exists()
