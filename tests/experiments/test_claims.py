"""The experiment on the method's parts: sentences, table, plot, and going on when interrupted."""

import copy
import importlib
import json

import pytest

from experiments.claims import __main__ as claims
from experiments.claims.plot import draw
from experiments.claims.report import PageError, into_page, report
from experiments.claims.report import main as report_main
from experiments.claims.scores import SCORES, measured, of_photographs, read_scores
from experiments.claims.statements import compare, statements
from experiments.claims.variants import VARIANTS, variants
from oasis_tf.config import Config
from oasis_tf.train import parse_arguments
from tests.conftest import eagerly
from tests.toy_data import build_records

TINY = {"base_channels": 1, "spade_channels": 4, "batch_size": 2, "statistics_batches": 1}


def a_run(variant, seed, **scores):
    every = dict.fromkeys(SCORES, 0.5)
    return {"variant": variant, "seed": seed, "scores": {**every, **scores}, "classes": {}}


@pytest.fixture
def content():
    """Three seeds of two variants: what mIoU, its rare classes and the distance say differs."""
    rows = zip(
        (0.4, 0.42, 0.41), (0.3, 0.31, 0.39), (0.2, 0.1, 0.15), (0.1, 0.2, 0.15), strict=True
    )
    runs = []
    for seed, (with_it, without, rare, rare_without) in enumerate(rows, start=1):
        runs.append(a_run("full", seed, miou=with_it, miou_rare=rare, fid=2.0 + seed))
        runs.append(a_run("real_fake", seed, miou=without, miou_rare=rare_without, fid=seed / 10))
    return {
        "data": {
            "dataset": "sample",
            "image_size": [64, 64],
            "pictures": 600,
            "measured": 205,
            "groups": {"frequent": 12, "common": 17, "rare": 4},
        },
        "settings": {"steps": 840},
        "photographs": {"miou": 0.8, "miou_rare": None},
        "runs": runs,
    }


def test_ranges_that_touch_say_nothing():
    assert compare([3, 4], [1, 2], True) == "better"
    assert compare([3, 4], [1, 2], False) == "worse"
    assert compare([1, 2], [3, 4], False) == "better"
    assert compare([2, 4], [1, 2], True) is None
    assert compare([1, 4], [2, 3], True) is None
    assert compare([3, None], [1, 2], True) is None


def test_sentences_only_where_the_seeds_allow_them(content):
    lines = statements(content)
    assert lines[0].startswith("**A segmentation network")
    assert sum(line.startswith("**") for line in lines) == 1  # no other variant was trained
    said = {line.split(":")[0].removeprefix("- "): line for line in lines if line.startswith("- ")}
    assert "Higher in every seed, as the claim says (by chance 5%)." in said["mIoU"]
    assert "0.410 (0.400 to 0.420) with, 0.333 (0.300 to 0.390) with" in said["mIoU"]
    assert said["mIoU of rare classes"].endswith("The ranges overlap: not visible here.")
    assert "Higher in every seed, **against the claim**" in said["Frechet distance"]
    assert said["kernel distance"].endswith("not visible here.")
    content["runs"] = [run for run in content["runs"] if run["seed"] < 3]
    few = [line for line in statements(content) if line.startswith("- ")]
    assert few and all(line.endswith("Too few seeds to tell.") for line in few)


def test_what_no_run_has_is_not_shown(content, tmp_path):
    for run in content["runs"]:
        run["scores"] |= {"miou_common": None, "miou_rare": None, "texture": None}
    names = measured(content)
    assert "miou" in names and "colour" in names
    # With one group of classes, its mIoU is that of all.
    assert not {"miou_frequent", "miou_common", "miou_rare", "texture"} & set(names)
    text = report(content)
    assert "| | mIoU ↑ | Frechet distance ↓ | kernel distance ↓ | colour ↓ |" in text
    assert "rare classes" not in text
    draw(content, tmp_path / "plot.svg")
    assert "rare classes" not in (tmp_path / "plot.svg").read_text()


def test_the_report_and_its_place_in_a_page(content, tmp_path, capsys):
    text = report(content)
    assert "6 runs of 840 steps" in text and "seeds 1, 2, 3" in text
    assert "| the photographs | 0.800 |" in text
    row = next(line for line in text.splitlines() if line.startswith("| real/fake"))
    assert row.split(" | ")[1] == "0.333 (0.300 to 0.390)"
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- r.json -->\nold\n<!-- end of r.json -->\nafter\n")
    (tmp_path / "r.json").write_text(json.dumps(content))
    for _ in range(2):  # the second time it is the same
        assert report_main([str(tmp_path / "r.json"), "--page", str(page)]) == 0
        lines = page.read_text()
        assert lines.startswith("before\n<!-- r.json -->\n\n![scores of all runs](page/r.svg)")
        assert "old" not in lines and (tmp_path / "page/r.svg").is_file()
        assert lines.endswith("<!-- end of r.json -->\nafter\n") and text in lines
    page.write_text("no place")
    assert report_main([str(tmp_path / "r.json"), "--page", str(page)]) == 2
    assert "must have <!-- r.json -->" in capsys.readouterr().err
    assert page.read_text() == "no place"
    with pytest.raises(PageError):
        into_page("x", "r", "<!-- end of r --><!-- r -->")


def test_the_plot(content, tmp_path):
    missing = copy.deepcopy(content)
    missing["runs"][0]["scores"]["miou_rare"] = None
    for number, each in enumerate((content, content, missing)):
        draw(each, tmp_path / f"{number}.svg")
    files = [(tmp_path / f"{number}.svg").read_text() for number in range(3)]
    assert files[0] == files[1] != files[2] and files[0].rstrip().endswith("</svg>")


ROWS = [
    {"id": i, "class": name, "iou": iou, "iou_of_photographs": 0.9, "pixels": 5}
    for i, name, iou in ((1, "sky", 0.5), (2, "sea", 0.7), (4, "sail", 0.2))
]
DIVERSITY = {"global": 0.1, "local": None, "mean_over_classes": 0.3}
DIVERSITY["per_class"] = [{"id": 1, "class": "sky", "distance": 0.25}]
RESULT = {
    "metrics": {
        "miou": {"value": 0.45, "per_class": ROWS, "of_photographs": {"miou": 0.9}},
        "feature_diversity": DIVERSITY,
        "ms_ssim": {"computed": False},
        "fid_by_segmenter": {"value": 1.23456789},
        "kid_by_segmenter": {"value": 0.5},
        "colour": {"value": 0.1},
        "texture": {"value": 0.2},
    }
}


def test_scores_of_a_result():
    groups = {"frequent": [1, 2], "common": [3], "rare": [4]}
    scores, classes = read_scores(RESULT, groups)
    assert list(scores) == list(SCORES)
    assert scores["miou_frequent"] == 0.6 and scores["miou_rare"] == 0.2
    assert scores["miou_common"] is None and scores["ms_ssim_global"] is None
    assert scores["fid"] == 1.2346
    assert classes["sky"] == {"iou": 0.5, "iou_of_photographs": 0.9, "distance": 0.25}
    assert of_photographs(RESULT, groups)["miou_rare"] == 0.9


def test_the_variants_are_settings_of_a_run():
    needed = ["--dataset", "sample", "--data_dir", "x", "--model_dir", "y"]
    for name, (_, flags) in variants("vgg.h5").items():
        words = [word for flag, value in flags.items() for word in (f"--{flag}", str(value))]
        given = vars(parse_arguments([*needed, *words]))
        assert all(given[flag] == value for flag, value in flags.items()), name
        Config("sample", segmenter="x", **flags)
    assert list(variants(None)) == list(VARIANTS)


@pytest.fixture
def here(monkeypatch):
    """Runs the commands in this process, with tiny networks; lists which."""
    done = []

    def command(module, flags, log, *, one_core=True):
        done.append(module)
        if module == "train_segmenter":
            flags = {**flags, "base_channels": 1, "batch_size": 2}
        if module == "train":
            flags = {**flags, **TINY}
        words = []
        for name, value in flags.items():
            words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
        with eagerly():
            assert importlib.import_module(f"oasis_tf.{module}").main(words) == 0

    monkeypatch.setattr(claims, "_command", command)
    return done


def experiment(tmp_path, records, *flags):
    out = tmp_path / "claims.json"
    words = ["--data_dir", records, "--work", tmp_path / "work", "--out", out, "--jobs", "1"]
    words += ["--segmenter_steps", "1", "--samples", "2", "--diversity_maps", "1", *flags]
    return claims.main([str(word) for word in words]), out


@pytest.mark.slow
def test_two_steps_of_every_variant(tmp_path, here):
    records = build_records(tmp_path)
    code, out = experiment(tmp_path, records, "--steps", "2", "--seeds", "1")
    assert code == 0
    content = json.loads(out.read_text())
    runs = [(run["variant"], run["seed"]) for run in content["runs"]]
    assert runs == [(name, 1) for name in VARIANTS]
    assert here.count("train") == here.count("evaluate") == len(runs)
    (of_no_noise, *_) = (run for run in content["runs"] if run["variant"] == "no_noise")
    assert of_no_noise["scores"]["diversity_global"] < 1e-5
    assert content["runs"][0]["scores"]["diversity_global"] > 1e-4
    assert out.with_suffix(".md").read_text().count("**") >= 2 * 5
    assert out.with_suffix(".svg").is_file()


@pytest.fixture
def pretended(monkeypatch):
    """The commands do nothing but leave their files; lists which, and fails as told."""
    done, failing = [], set()

    def command(module, flags, log, *, one_core=True):
        if module in failing:
            raise claims.ExperimentError(f"{module} failed")
        done.append((module, flags))
        if module == "train_segmenter":
            flags["out"].mkdir()
            (flags["out"] / "segmenter.json").write_text("{}")
        if module == "train":
            flags["model_dir"].mkdir(exist_ok=True)
        if module == "evaluate":
            flags["out"].write_text(json.dumps(RESULT))

    monkeypatch.setattr(claims, "_command", command)
    # A plot takes a second; it has a test of its own.
    monkeypatch.setattr(claims, "draw", lambda content, path: path.touch())
    return done, failing


def test_going_on_and_what_fails(tmp_path, pretended, capsys):
    records = build_records(tmp_path, images=2, val_images=2)
    done, failing = pretended
    flags = ["--steps", "7", "--variants", "full", "real_fake"]
    failing.add("evaluate")
    assert experiment(tmp_path, records, *flags, "--seeds", "1")[0] == 2
    assert "error: evaluate failed; evaluate failed" in capsys.readouterr().err
    failing.clear()
    done.clear()
    code, out = experiment(tmp_path, records, *flags, "--seeds", "1")
    assert code == 0 and [module for module, _ in done] == ["train", "evaluate"] * 2
    assert done[2][1]["discriminator"] == "real_fake" and done[2][1]["seed"] == 1
    first = json.loads(out.read_text())
    assert [run["variant"] for run in first["runs"]] == ["full", "real_fake"]
    assert first["data"]["measured"] == 2 and first["settings"]["steps"] == 7
    assert "miou" in first["photographs"]
    # Nothing is left to do; of one more seed, that one.
    assert experiment(tmp_path, records, *flags, "--seeds", "1")[0] == 0
    assert len(done) == 4 and json.loads(out.read_text()) == first
    assert experiment(tmp_path, records, *flags, "--seeds", "2")[0] == 0
    assert len(done) == 8 and len(json.loads(out.read_text())["runs"]) == 4
    # It is no other experiment.
    assert experiment(tmp_path, records, "--steps", "9", "--seeds", "1")[0] == 2
    assert "Received: one of other steps" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--seeds", "0"], "--seeds must be 1 or more. Received: 0"),
        (["--variants", "perceptual"], "--variants perceptual needs --vgg_weights"),
    ],
)
def test_bad_arguments(tmp_path, capsys, flags, message):
    assert experiment(tmp_path, "nowhere", *flags)[0] == 2
    assert message in capsys.readouterr().err


def test_what_fails_is_told(tmp_path):
    log = tmp_path / "log"
    with pytest.raises(claims.ExperimentError, match=r"train must end well, see .*log. Received: "):
        claims._command("train", {"seed": "none"}, log)
    assert "--dataset" in log.read_text()
