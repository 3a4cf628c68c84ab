"""The command: its result, what cannot be computed, resuming, and bad input."""

import json
import re
import shutil

import keras
import numpy as np
import pytest

from data_pipeline.labels.legend import Legend
from data_pipeline.records.manifest import Manifest
from oasis_tf.evaluate import main
from oasis_tf.evaluation.metrics.appearance import AppearanceMetric
from oasis_tf.metrics import frozen, lpips
from oasis_tf.metrics.frechet import FeatureStatistics, frechet_distance
from oasis_tf.metrics.kernel_distance import kernel_distance
from oasis_tf.segmenters.network import BOTTLENECK, build_segmentation_network
from oasis_tf.segmenters.segmenter import save_segmenter
from tests.toy_data import build_records
from tests.toy_model import write_model_dir

CLASSES = ["sky", "sea", "sand"]
pytestmark = pytest.mark.usefixtures("loaded_once")


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    return build_records(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def model(records, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "run"
    write_model_dir(path, legend=Legend.of(Manifest.read(records)))
    return path


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory):
    path = tmp_path_factory.mktemp("segmenter")
    pictures = keras.Input((None, None, 3))
    # The brightest colour is the class.
    logits = keras.layers.AveragePooling2D(1)(pictures)
    save_segmenter(path, keras.Model(pictures, logits), CLASSES)
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A segmenter as `oasis_tf.train_segmenter` writes it, which has learnt nothing."""
    keras.utils.set_random_seed(2)
    path = tmp_path_factory.mktemp("trained")
    save_segmenter(path, build_segmentation_network(3, 1), CLASSES, features=BOTTLENECK)
    return path


class FakeInception:
    """Six features: mean and deviation of each colour."""

    calls = 0

    def __init__(self, path):
        assert path.read_bytes() == b"weights"

    def __call__(self, pictures):
        type(self).calls += len(pictures)
        flat = pictures.reshape(len(pictures), -1, 3) / 255
        return np.concatenate([flat.mean(axis=1), flat.std(axis=1)], axis=1).astype(np.float32)


@pytest.fixture
def inception(tmp_path, monkeypatch):
    """A weights directory with Inception's file, and a network that takes no time."""
    from oasis_tf.metrics import inception

    directory = tmp_path / "weights"
    directory.mkdir()
    (directory / frozen.INCEPTION.name).write_bytes(b"weights")
    monkeypatch.setattr(inception, "InceptionFeatures", FakeInception)
    FakeInception.calls = 0
    return directory


@pytest.fixture
def command(model, records, tmp_path):
    def arguments(metrics, *flags):
        paths = ["--model", model, "--data_dir", records, "--out", tmp_path / "result.json"]
        paths += ["--cache_dir", tmp_path / "cache", "--weights_dir", tmp_path / "weights"]
        return [str(path) for path in paths] + ["--metrics", metrics, "--samples", "2", *flags]

    return arguments


def result(tmp_path):
    return json.loads((tmp_path / "result.json").read_text())


def test_everything_at_once(command, inception, segmenter, tmp_path, capsys):
    metrics = "fid,kid,miou,ms_ssim,lpips,colour,texture"
    page = tmp_path / "page.html"
    assert main(command(metrics, "--segmenter", str(segmenter), "--report", str(page))) == 0
    content = result(tmp_path)
    assert content["protocol"]["name"] == "generic" and content["protocol"]["version"] == 1
    assert content["data"]["images"] == content["data"]["images_in_split"] == 3
    assert content["data"]["image_size"] == [64, 128]
    assert content["networks"]["inception"]["sha256"].startswith("9a1290")  # of b"weights"
    assert len(content["networks"]["segmenter"]["sha256"]) == 64
    computed = {name: metric["computed"] for name, metric in content["metrics"].items()}
    assert computed == {**dict.fromkeys(metrics.split(","), True), "lpips": False}
    assert "vgg16-397923af.pth must be in" in content["metrics"]["lpips"]["reason"]
    fid, miou = content["metrics"]["fid"], content["metrics"]["miou"]
    assert fid["value"] > 0 and "3 pictures are fewer than the 6 features" in fid["warning"]
    assert 0 <= miou["value"] <= 1
    assert [each["class"] for each in miou["per_class"]] == CLASSES
    assert content["metrics"]["ms_ssim"]["scales"] == 3
    out = capsys.readouterr().out
    assert re.search(r"miou +0\.\d+ +pixel accuracy", out)
    assert "lpips        not computable: " in out and "3 of 3 pictures of val, 64x128" in out
    html = page.read_text()
    for title in ("IoU per class", "Confusion", "Worst pictures", "Diversity", "Texture"):
        assert f"<h2>{title}" in html
    # Self-contained: no address is loaded from.
    assert not re.search(r'(src|href)="(?!data:)', html) and "url(" not in html
    assert "<polyline" in html and "nan" not in re.sub(r"base64,[^\"]*", "", html).lower()


def mend(path, **changes):
    """Another description of a segmenter."""
    description = path / "segmenter.json"
    description.write_text(json.dumps({**json.loads(description.read_text()), **changes}))


def test_a_segmenter_that_was_mended_is_asked_again(command, segmenter, tmp_path):
    judge = tmp_path / "judge"
    shutil.copytree(segmenter, judge)

    def miou(*flags):
        assert main(command("miou", "--segmenter", str(judge), *flags)) == 0
        return result(tmp_path)["metrics"]["miou"]["value"]

    mend(judge, mean=[0, 300, 0])
    wrong = miou()
    mend(judge, mean=127.5)
    right = miou()
    assert right == miou("--cache_dir", str(tmp_path / "fresh")) != wrong


def test_names_as_others_write_them_and_those_that_are_lacking(
    command, segmenter, tmp_path, capsys
):
    judge = tmp_path / "judge"
    shutil.copytree(segmenter, judge)
    page = tmp_path / "page.html"
    assert main(command("miou", "--segmenter", str(judge))) == 0
    all_named = result(tmp_path)["metrics"]["miou"]
    assert (all_named["classes_left_out"], all_named["left_out"]) == (0, [])
    assert "left out" not in "".join(capsys.readouterr())

    mend(judge, class_names=["Sky", "sea, ocean", "SAND"])
    assert main(command("miou", "--segmenter", str(judge))) == 0
    assert result(tmp_path)["metrics"]["miou"] == all_named
    capsys.readouterr()

    mend(judge, class_names=["sky", "ocean", "sand"])
    assert main(command("miou", "--segmenter", str(judge), "--report", str(page))) == 0
    lacking = result(tmp_path)["metrics"]["miou"]
    assert (lacking["classes_left_out"], lacking["left_out"]) == (1, ["sea"])
    assert {each["class"] for each in lacking["per_class"]} <= {"sky", "sand"}
    output = capsys.readouterr()
    line = "left out, for the segmenter cannot name 1 class: sea"
    assert f"miou: {line}" in output.err and line in output.out and line in page.read_text()


def test_what_cannot_be_written_is_told_before_anything_is_computed(command, tmp_path, capsys):
    (tmp_path / "result.json").mkdir()
    assert main(command("colour", "--report", str(tmp_path / "missing/page.html"))) == 2
    error = capsys.readouterr().err
    assert "result.json: Is a directory" in error and "page.html: it must be in" in error
    assert main(command("colour", "--out", str(tmp_path / "a"), "--report", f"{tmp_path}/a")) == 2
    assert "--out and --report must be two files" in capsys.readouterr().err
    (tmp_path / "cache").touch()
    assert main(command("colour", "--out", str(tmp_path / "a"))) == 2
    assert "--cache_dir must be a writable directory" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


def test_numbers_are_shown_whatever_becomes_of_the_file(command, tmp_path, capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data_pipeline.files.write_atomically", full)
    assert main(command("colour")) == 1
    output = capsys.readouterr()
    assert re.search(r"colour +0?\.\d+", output.out) and "No space left" in output.err


def test_against_the_pictures_themselves(command, inception, model, records, load_once, tmp_path):
    from data_pipeline.reading.reader import eval_dataset
    from oasis_tf.images import to_uint8

    assert main(command("fid,kid", "--seed", "5")) == 0
    synthesizer = load_once(model)
    real, fake = [], []
    for i, batch in enumerate(eval_dataset(records, batch_size=1)):
        real.append(to_uint8(batch["image"])[0])
        fake.append(synthesizer.synthesize(batch["label_map"].numpy()[0], seed=5 + i)[0])
    network = FakeInception(inception / frozen.INCEPTION.name)
    features = [network(np.array(pictures)) for pictures in (real, fake)]
    statistics = []
    for rows in features:
        statistics.append(FeatureStatistics(6))
        statistics[-1].update(rows)
    metrics = result(tmp_path)["metrics"]
    assert metrics["fid"]["value"] == pytest.approx(frechet_distance(*statistics))
    assert metrics["kid"]["value"] == pytest.approx(kernel_distance(*features))


def test_features_of_a_segmenter(command, trained, model, records, load_once, tmp_path, capsys):
    """Nothing is downloaded, and no number is called FID."""
    from data_pipeline.reading.reader import eval_dataset
    from oasis_tf.images import to_uint8
    from oasis_tf.segmenters.features import SegmenterFeatures

    flags = ["--features", "segmenter", "--segmenter", str(trained)]
    page = tmp_path / "page.html"
    assert main(command("fid,kid", *flags, "--report", str(page))) == 0
    metrics = result(tmp_path)["metrics"]
    assert set(metrics) == {"fid_by_segmenter", "kid_by_segmenter"}
    synthesizer = load_once(model)
    network = SegmenterFeatures(trained)
    real, fake = [], []
    for i, batch in enumerate(eval_dataset(records, batch_size=1)):
        real.append(network(to_uint8(batch["image"])))
        fake.append(network(synthesizer.synthesize(batch["label_map"].numpy()[0], seed=i)))
    real, fake = (np.concatenate(rows).astype(float) for rows in (real, fake))
    covariances = np.cov(real.T), np.cov(fake.T)
    overlap = np.sqrt(np.linalg.eigvals(covariances[0] @ covariances[1]).astype(complex)).real.sum()
    shift = real.mean(axis=0) - fake.mean(axis=0)
    expected = shift @ shift + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * overlap
    fid = metrics["fid_by_segmenter"]
    assert fid["value"] == pytest.approx(expected, rel=1e-3)

    def kernel(x, y):
        return (x @ y / 8 + 1) ** 3

    pairs = [(i, j) for i in range(3) for j in range(3) if i != j]
    expected = np.mean([kernel(real[i], real[j]) + kernel(fake[i], fake[j]) for i, j in pairs])
    expected -= 2 * np.mean([kernel(x, y) for x in real for y in fake])
    kid = metrics["kid_by_segmenter"]
    assert kid["value"] == pytest.approx(expected, rel=1e-4) and "(x y / 8 + 1)" in kid["estimator"]
    for metric in (fid, kid):
        assert metric["network"] == network.about and "same segmenter" in metric["about"]
    assert "fewer than the 8 features" in fid["warning"]
    out = capsys.readouterr().out
    for text in (r"fid_by_segmenter \d", r"layer bottleneck, SHA-256 \w{16}", "same segmenter"):
        assert re.search(text, out) and re.search(text.replace(" \\d", ""), page.read_text())
    assert not re.search(r"(?i)\b(fid|kid)\b", out)


def test_features_without_a_segmenter(command, segmenter, tmp_path):
    assert main(command("fid", "--features", "segmenter")) == 1
    assert "train_segmenter" in result(tmp_path)["metrics"]["fid_by_segmenter"]["reason"]
    flags = ["--features", "segmenter", "--segmenter", str(segmenter)]
    assert main(command("kid", *flags)) == 1
    assert 'no "features"' in result(tmp_path)["metrics"]["kid_by_segmenter"]["reason"]


def test_what_was_measured_is_not_measured_again(command, inception, tmp_path, monkeypatch):
    def interrupted(self, part, chunk):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(AppearanceMetric, "measure", interrupted)
        assert main(command("fid,colour")) == 130
    assert not (tmp_path / "result.json").exists()
    assert FakeInception.calls == 6  # three photographs, three generated
    assert main(command("fid,colour")) == 0
    assert FakeInception.calls == 6
    assert main(command("fid", "--seed", "9")) == 0  # other pictures, the same photographs
    assert FakeInception.calls == 9


def test_what_cannot_be_computed_is_said_first(command, tmp_path, capsys):
    assert main(command("kid,colour,fid,lpips,miou")) == 0
    lines = capsys.readouterr().err.splitlines()
    said = [line for line in lines if line.startswith("no ")]
    # A line for each reason, before the first picture.
    assert lines[1 : 1 + len(said)] == said and len(said) == 3 < len(lines) - 1
    # Which weights, here and in the result.
    title = json.loads((tmp_path / "result.json").read_text())["model"]["checkpoint"]
    assert lines[0] == f"checkpoint: {title}" and title.endswith("step 10 (best)")
    features, diversity, miou = said
    assert features.startswith(f"no kid, fid: {frozen.INCEPTION.name} must be in {tmp_path}")
    assert "Instead: --features segmenter" in features
    assert diversity.startswith("no lpips: vgg16") and "Instead: ms_ssim" in diversity
    assert miou.startswith("no miou: mIoU needs --segmenter PATH; python -m")


def test_nothing_to_say_first(command, capsys):
    assert main(command("colour")) == 0
    assert "no " not in capsys.readouterr().err


class FakeLpips:
    def __init__(self, net, *paths):
        self._net = net

    def features(self, pictures):
        return pictures.mean()

    def between(self, a, b):
        return np.array([{"vgg": 1, "alex": 2}[self._net] * abs(a - b)])


def test_lpips(command, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lpips, "Lpips", FakeLpips)
    (tmp_path / "weights").mkdir()
    for file in frozen.LPIPS["vgg"] + frozen.LPIPS["alex"]:
        (tmp_path / "weights" / file.name).write_bytes(b"weights")
    page = tmp_path / "page.html"
    assert main(command("lpips", "--report", str(page))) == 0
    metric = result(tmp_path)["metrics"]["lpips"]
    assert metric["network"] == "vgg" and metric["value"] == metric["vgg"]["global"] > 0
    assert metric["alex"]["global"] == pytest.approx(2 * metric["value"])
    details = r"vgg: global [\d.]+, local [\d.]+, alex: global"
    assert re.search(rf"lpips +[\d.]+ +{details}", capsys.readouterr().out)
    assert re.search(details, page.read_text())


def test_nothing_computable(command, tmp_path, capsys):
    assert main(command("fid,miou")) == 1
    metrics = result(tmp_path)["metrics"]
    assert not any(metric["computed"] for metric in metrics.values())
    assert "--download_weights" in metrics["fid"]["reason"]
    assert "oasis_tf.train_segmenter" in metrics["miou"]["reason"]
    assert "Traceback" not in capsys.readouterr().err


def test_one_image(command, inception, tmp_path):
    assert main(command("fid,kid,colour", "--max_images", "1")) == 0
    metrics = result(tmp_path)["metrics"]
    for name in ("fid", "kid"):
        assert "two pictures or more are needed" in metrics[name]["reason"]
    assert metrics["colour"]["computed"]
    assert result(tmp_path)["data"]["images"] == 1


def test_a_segmenter_of_other_classes(command, segmenter, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    content = json.loads((segmenter / "segmenter.json").read_text())
    content["class_names"] = ["cat", "dog", "cow"]
    (other / "segmenter.json").write_text(json.dumps(content))
    (other / "model.keras").write_bytes((segmenter / "model.keras").read_bytes())
    assert main(command("miou", "--segmenter", str(other))) == 1
    assert "classes in common" in result(tmp_path)["metrics"]["miou"]["reason"]


def test_lvis_groups(command, segmenter, records, tmp_path):
    assert main(command("miou", "--segmenter", str(segmenter), "--protocol", "lvis")) == 0
    content = result(tmp_path)
    assert "no published one" in content["protocol"]["about"]
    groups = content["metrics"]["miou"]["groups"]
    # Six training pictures: every class is rare.
    assert {name: group["classes"] for name, group in groups.items()} == {
        "frequent": 0,
        "common": 0,
        "rare": 3,
    }
    assert groups["rare"]["miou"] == pytest.approx(content["metrics"]["miou"]["value"])
    assert groups["frequent"]["miou"] is None


def test_a_model_that_draws_nan(records, tmp_path, capsys, eager):
    networks = write_model_dir(tmp_path / "nan", legend=Legend.of(Manifest.read(records)))
    from tests.toy_model import save_checkpoint

    for variable in networks["ema_generator"].trainable_variables:
        variable.assign(np.full(variable.shape, np.nan))
    save_checkpoint(tmp_path / "nan", networks, "best", step=20)
    arguments = ["--model", str(tmp_path / "nan"), "--data_dir", str(records)]
    assert main([*arguments, "--metrics", "colour", "--cache_dir", str(tmp_path / "cache")]) == 2
    assert "must draw finite numbers" in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--metrics", "fid,magic"], "--metrics must be some of .* Received: magic"),
        (["--samples", "0"], "--samples must be 1 or more. Received: 0"),
        (["--split", "test"], "--split must be one of train, val. Received: test"),
        (["--seed", "-1"], "seed must be in 0..2147483647"),
        (["--data_dir", "missing"], "no complete data set in missing"),
        (["--model", "missing"], "Received: missing, no such directory"),
        (["--protocol", "ade20k"], "takes records of 256x256"),
        (["--out", "a.html"], "--out writes a .json file. Received: a.html"),
        (["--report", "a.json"], "--report writes a .html file. Received: a.json"),
        (["--out", "missing/result.json"], "must be in a directory that exists"),
    ],
)
def test_bad_input(command, tmp_path, capsys, flags, message):
    assert main(command("colour", *flags)) == 2
    error = capsys.readouterr().err
    assert re.search(message, error) and "Traceback" not in error
    assert not (tmp_path / "result.json").exists()


def test_a_model_of_other_classes(command, toy_run, capsys):
    assert main(command("colour", "--model", str(toy_run))) == 2
    assert "a model of 5 classes, data of 4" in capsys.readouterr().err
