"""The sample data set: its bytes, its layout, its masks and its composition."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from data_pipeline import sample as sample_module
from data_pipeline.errors import DataError
from data_pipeline.sample import draw_sample, main, run_lengths, run_lengths_string
from data_pipeline.sample_set.kinds import KINDS, Patch
from data_pipeline.sample_set.scenes import draw_scene

mask_util = pytest.importorskip("pycocotools.mask")

SIZE = (48, 64)
IMAGES, VAL_IMAGES = 160, 30


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    out = tmp_path_factory.mktemp("sample") / "deep" / "set"
    draw_sample(out, IMAGES, VAL_IMAGES, SIZE, seed=1)
    return out


@pytest.fixture(scope="module")
def content(sample):
    return {split: read(sample, split) for split in ("train", "val")}


def read(out, split):
    return json.loads((out / "annotations" / f"lvis_v1_{split}.json").read_text())


def decode(segmentation, size=SIZE):
    """The mask as pycocotools sees it, bool (H, W)."""
    if isinstance(segmentation, list):
        segmentation = mask_util.merge(mask_util.frPyObjects(segmentation, *size))
    elif isinstance(segmentation["counts"], list):
        segmentation = mask_util.frPyObjects(segmentation, *size)
    return mask_util.decode(segmentation).astype(bool)


def tree_bytes(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_same_seed_same_bytes(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        draw_sample(tmp_path / name, 3, 2, (32, 40), seed)
    a, b, c = (tree_bytes(tmp_path / name) for name in "abc")
    assert a == b
    assert a.keys() == c.keys() and all(a[key] != c[key] for key in a)


def test_a_picture_does_not_depend_on_how_many_there_are(tmp_path):
    draw_sample(tmp_path / "few", 2, 1, (32, 40))
    draw_sample(tmp_path / "more", 4, 1, (32, 40))
    name = "train2017/000000000002.jpg"
    assert (tmp_path / "few" / name).read_bytes() == (tmp_path / "more" / name).read_bytes()


def test_validation_pictures_until_each_category_is_in_some(tmp_path):
    draw_sample(tmp_path / "plain", 1, 3, SIZE)
    summary = draw_sample(tmp_path / "more", 1, 3, SIZE, least_val=2)
    data = read(tmp_path / "more", "val")
    found = {(a["image_id"], a["category_id"]) for a in data["annotations"]}
    counts = np.bincount([category for _, category in found], minlength=len(KINDS) + 1)[1:]
    assert counts.min() == 2 and len(data["images"]) == summary.pictures - 1
    ids = [image["id"] for image in data["images"]]
    assert 3 < len(ids) <= 3 + 2 * len(KINDS) and ids == list(range(2, len(ids) + 2))
    # The first ones are those of a sample without, and so is the training split.
    for name in ("val2017/000000000002.jpg", "val2017/000000000004.jpg"):
        plain, more = ((tmp_path / which / name).read_bytes() for which in ("plain", "more"))
        assert plain == more
    assert (
        read(tmp_path / "plain", "train")["annotations"]
        == (read(tmp_path / "more", "train")["annotations"])
    )
    # Found again, and told from one without.
    assert not draw_sample(tmp_path / "more", 1, 3, SIZE, least_val=2).drawn
    with pytest.raises(DataError, match="same parameters"):
        draw_sample(tmp_path / "more", 1, 3, SIZE)


def test_what_validation_pictures_cannot_show(tmp_path, monkeypatch):
    monkeypatch.setattr(sample_module, "TRIES", 5)
    with pytest.raises(DataError, match="`least_val` 1 must be possible.*Received: .*rainbow"):
        draw_sample(tmp_path / "set", 1, 1, (32, 40), least_val=1)
    assert list(tmp_path.iterdir()) == []


def test_layout(sample, content):
    assert sorted(p.name for p in sample.iterdir()) == [
        "annotations",
        "label_maps",
        "train2017",
        "val2017",
    ]
    assert [p.name for p in sample.parent.iterdir()] == ["set"]  # nothing temporary stays
    ids = []
    for split, count in (("train", IMAGES), ("val", VAL_IMAGES)):
        data = content[split]
        assert set(data) == {"info", "licenses", "categories", "images", "annotations"}
        assert len(data["images"]) == count == len(list((sample / f"{split}2017").iterdir()))
        for image in data["images"]:
            ids.append(image["id"])
            assert (image["height"], image["width"]) == SIZE
            path = f"{split}2017/{image['id']:012d}.jpg"
            assert image["coco_url"] == f"http://images.invalid/{path}"
            with Image.open(sample / path) as picture:
                assert picture.size == SIZE[::-1] and picture.mode == "RGB"
            assert {"flickr_url", "license", "date_captured"} < set(image)
            assert {"neg_category_ids", "not_exhaustive_category_ids"} < set(image)
    assert len(set(ids)) == IMAGES + VAL_IMAGES


def test_categories_are_counted_over_the_training_split(content):
    train = content["train"]
    assert content["val"]["categories"] == train["categories"]
    assert [c["name"] for c in train["categories"]] == sorted(KINDS)
    assert [c["id"] for c in train["categories"]] == list(range(1, len(KINDS) + 1))
    for category in train["categories"]:
        mine = [a for a in train["annotations"] if a["category_id"] == category["id"]]
        images = len({a["image_id"] for a in mine})
        assert (category["image_count"], category["instance_count"]) == (images, len(mine))
        assert category["frequency"] == ("f" if images > 100 else "c" if images > 10 else "r")
        assert category["def"] and category["synset"].startswith(tuple("abcdefghijklmnopqrstuvw"))
        assert category["synonyms"]


def test_negative_categories_are_absent(content):
    for data in content.values():
        present = {(a["image_id"], a["category_id"]) for a in data["annotations"]}
        for image in data["images"]:
            assert not any((image["id"], c) in present for c in image["neg_category_ids"])


def test_every_segmentation_decodes_inside_the_picture(content):
    forms = set()
    height, width = SIZE
    for data in content.values():
        assert [a["id"] for a in data["annotations"]] == list(
            range(1, len(data["annotations"]) + 1)
        )
        for annotation in data["annotations"]:
            segmentation = annotation["segmentation"]
            if isinstance(segmentation, list):
                forms.add("polygon")
                for polygon in segmentation:
                    points = np.array(polygon).reshape(-1, 2)
                    assert len(points) >= 3
                    assert points.min() >= 0 and (points <= [width, height]).all()
                    assert np.allclose(points, points.round(2), atol=1e-9)
            else:
                forms.add(type(segmentation["counts"]).__name__)
                assert segmentation["size"] == [height, width]
            mask = decode(segmentation)
            assert mask.shape == SIZE and mask.any()
            # pycocotools rounds an outline to whole pixels: half a pixel along the perimeter
            x, y, w, h = annotation["bbox"]
            assert abs(mask.sum() - annotation["area"]) <= 8 + 1.2 * (w + h)
            rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
            seen = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
            assert np.allclose(seen, (x, y, x + w, y + h), atol=2.5)  # thin tips get lost
    assert forms == {"polygon", "str", "list"}


def test_composition(content):
    train = content["train"]
    masks = {image["id"]: np.zeros(SIZE, bool) for image in train["images"]}
    for annotation in train["annotations"]:
        masks[annotation["image_id"]] |= decode(annotation["segmentation"])
    shares = [1 - mask.mean() for mask in masks.values()]
    assert 0.45 < np.mean(shares) < 0.65
    assert abs(np.mean(shares) - train["info"]["unlabelled_share"]) < 0.03
    # pictures 25, 75 and 125 of 160 are empty: one in fifty
    assert sum(share == 1 for share in shares) == 3
    counts = [c["image_count"] for c in train["categories"] if c["image_count"]]
    assert max(counts) >= 20 * min(counts)
    assert 5 <= len(train["annotations"]) / IMAGES <= 10


def test_parts_are_painted_after_what_carries_them(content):
    names = {c["id"]: c["name"] for c in content["train"]["categories"]}
    order = {}
    for annotation in content["train"]["annotations"]:
        order.setdefault(annotation["image_id"], []).append(names[annotation["category_id"]])
    for things in order.values():
        for part, carrier in (("door", "house"), ("roof", "house"), ("boat", "lake")):
            if part in things and carrier in things:
                assert things.index(part) > things.index(carrier)
    assert any("boat" in things for things in order.values())


def label_map(things, size):
    """Annotations painted one over the other, as a reader of the data set does: names (H, W)."""
    label = np.full(size, "", dtype=object)
    for thing in things:
        record = sample_module._annotation(thing, 1, 1)
        label[decode(record["segmentation"], size)] = thing.kind
    return label


def test_picture_and_mask_coincide(monkeypatch):
    """With every texture black, what is black in the picture is what the annotations cover."""
    size = (96, 128)
    for name, kind in KINDS.items():
        black = replace(kind, texture=lambda p: 0 * p.a + 0 * (p.u + p.v), stands=False)
        monkeypatch.setitem(KINDS, name, black)
    for index in range(20):
        picture, things, unlabelled = draw_scene(np.random.default_rng([5, index]), size)
        dark = picture.max(-1) < 70
        labelled = label_map(things, size) != ""
        assert abs(dark.mean() - (1 - unlabelled)) < 0.02
        # the rest may differ by the rounding of an outline, never further from it than a pixel
        assert not (dark & ~grow(labelled, 1)).any()
        assert (labelled & ~grow(dark, 1)).sum() <= 2


def test_kinds_look_like_themselves():
    """The mean colour inside a kind's masks is far from that of the unlabelled rest."""
    size = (48, 64)
    colours = {}
    for index in range(60):
        picture, things, _ = draw_scene(np.random.default_rng([6, index]), size)
        label = label_map(things, size)
        for name in {thing.kind for thing in things} | {""}:
            colours.setdefault(name, []).append(picture[label == name].reshape(-1, 3))
    mean = {name: np.concatenate(pixels).mean(0) for name, pixels in colours.items()}
    for name in ("house", "roof", "trunk", "tree", "sun", "lake", "bush"):
        assert np.abs(mean[name] - mean[""]).max() > 40, name
    assert mean["roof"][0] > mean["roof"][2] + 80  # red
    assert mean["lake"][2] > mean["lake"][0] + 60  # blue
    assert mean["tree"][1] > mean["tree"][[0, 2]].max() + 20  # green
    assert mean["cloud"].min() > 190  # white


def grow(mask, pixels):
    for _ in range(pixels):
        wide = np.pad(mask, 1)
        wide = wide[:-2] | wide[1:-1] | wide[2:]
        mask = wide[:, :-2] | wide[:, 1:-1] | wide[:, 2:]
    return mask


def test_each_kind_has_a_shape_a_texture_and_a_form():
    rng = np.random.default_rng(0)
    u, v = np.linspace(0, 1, 30, dtype=np.float32)[None], np.linspace(0, 1, 20)[:, None]
    first, second = np.full((2, 3, 1, 1), 0.5, np.float32)
    patch = Patch(u, v, u, v, first, second, lambda *scales: np.zeros((20, 30), np.float32))
    for name, kind in KINDS.items():
        points = np.vstack(kind.shape(rng))
        assert points.min() > -0.05 and points.max() < 1.05, name
        assert np.ptp(points, axis=0).min() > 0.6, name
        assert kind.texture(patch).shape == (3, 20, 30), name
        assert kind.form in ("polygon", "rle", "counts")


@pytest.mark.parametrize("seed", range(5))
def test_run_lengths_match_pycocotools(seed):
    mask = np.random.default_rng(seed).random((9, 70)) < (0.02, 0.5, 0.98, 0, 1)[seed]
    counts = run_lengths(mask)
    assert sum(counts) == mask.size
    expected = mask_util.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]
    assert run_lengths_string(counts) == expected.decode()


def test_draws_once(tmp_path, capsys):
    out = tmp_path / "set"
    out.mkdir()  # an empty directory is as good as none
    command = ["--out", str(out), "--images", "2", "--val_images", "1", "--size", "32", "40"]
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and "holds 3 pictures" in lines[0]
    assert lines[1].endswith(f"{out / 'label_maps'}.")
    assert lines[2].startswith(
        f"Next: python -m data_pipeline.build --dataset sample --source {out}"
    )
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert main(command) == 0
    assert "already holds 3 pictures" in capsys.readouterr().out
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*")}

    assert main([*command, "--seed", "9"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: `out` must be") and f"Received: {out}" in error
    (out / "train2017" / "000000000001.jpg").unlink()  # no longer complete
    assert main(command) == 2


def test_leaves_strangers_alone(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    for out in (tmp_path, tmp_path / "notes.txt", tmp_path / "notes.txt" / "below"):
        assert main(["--out", str(out), "--images", "1", "--val_images", "1"]) == 2
        assert capsys.readouterr().err.startswith("error: ")
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="No space"):
        draw_sample(tmp_path / "set", 1, 1, (32, 40))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": 0}, r"`images` must be an integer of at least 1. Received: 0"),
        ({"val_images": -1}, r"`val_images` must be an integer of at least 1. Received: -1"),
        ({"least_val": -1}, r"`least_val` must be an integer of at least 0. Received: -1"),
        ({"seed": -1}, r"`seed` must be an integer of at least 0. Received: -1"),
        ({"size": (31, 64)}, r"`size` must be .* 32 to 2048. Received: \(31, 64\)"),
        ({"size": 64}, r"`size` must be .* Received: 64"),
        ({"images": 2.5}, r"`images` must be an integer .* Received: 2.5"),
    ],
)
def test_bad_arguments(tmp_path, arguments, message):
    with pytest.raises(DataError, match=message):
        draw_sample(tmp_path / "set", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_bad_size_on_the_command_line(tmp_path, capsys):
    assert main(["--out", str(tmp_path / "set"), "--size", "16", "64"]) == 2
    assert "Received: [16, 64]" in capsys.readouterr().err
