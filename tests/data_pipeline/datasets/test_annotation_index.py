"""The index of an annotation file, beside grouping its annotations in memory."""

import json

import pytest

from data_pipeline.datasets import annotation_index
from data_pipeline.datasets.annotation_index import AnnotationIndex
from data_pipeline.datasets.masks import emptiness
from data_pipeline.errors import DataError

OUR_IDS = {2: 1, 5: 2}


def content(rng):
    images = [{"id": number, "file_name": f"{number}.jpg"} for number in (30, 10, 20)]
    annotations = [
        {
            "id": i,
            "image_id": int(rng.choice([10, 30])),
            "category_id": int(rng.choice([2, 5])),
            "segmentation": [[i, 0, i, 5, 9.5, 9]],
        }
        for i in range(17)
    ]
    return {"annotations": annotations, "images": images, "categories": [{"id": 2}, {"id": 5}]}


@pytest.fixture
def path(tmp_path, rng):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content(rng)))
    return path


def grouped(path):
    """{image id: [(our class id, annotation)]}, from the whole file."""
    whole = json.loads(path.read_text())
    return {
        image["id"]: [
            (OUR_IDS[a["category_id"]], a)
            for a in whole["annotations"]
            if a["image_id"] == image["id"]
        ]
        for image in whole["images"]
    }


def read(index, path):
    outlines, problems, _ = index.of_images(OUR_IDS)
    assert not problems
    return {number: list(each.read(path)) for number, each in outlines.items()}


def test_annotations_of_each_image_in_file_order(path):
    index = AnnotationIndex(path)
    assert [image["id"] for image in index.images] == [30, 10, 20]
    assert read(index, path) == grouped(path)
    assert read(index, path)[20] == []


def test_annotations_that_share_an_id_are_all_there(path):
    whole = json.loads(path.read_text())
    whole["annotations"] = [{**each, "id": 7} for each in whole["annotations"]]
    path.write_text(json.dumps(whole))
    assert sum(map(len, grouped(path).values())) == 17
    assert read(AnnotationIndex(path), path) == grouped(path)


def test_images_named_by_text(path):
    whole = json.loads(path.read_text())
    for entry in whole["images"]:
        entry["id"] = f"image {entry['id']}"
    for entry in whole["annotations"]:
        entry["image_id"] = f"image {entry['image_id']}"
    path.write_text(json.dumps(whole))
    assert read(AnnotationIndex(path), path) == grouped(path)


def test_no_annotation_at_all(path):
    path.write_text(json.dumps({"images": [{"id": 1}], "annotations": [], "categories": []}))
    outlines, problems, _ = AnnotationIndex(path).of_images({})
    assert list(outlines[1].read(path)) == [] and not problems


def test_what_is_kept_spares_reading_until_the_file_changes(path, tmp_path, monkeypatch):
    kept = tmp_path / "kept.npz"
    first = read(AnnotationIndex(path, kept), path)

    def never(*_):
        raise AssertionError("read again")

    with monkeypatch.context() as context:
        context.setattr(annotation_index, "stream_lists", never)
        again = AnnotationIndex(path, kept)
        assert read(again, path) == first
        assert [image["id"] for image in again.images] == [30, 10, 20]
        assert again.categories == [{"id": 2}, {"id": 5}]
        path.write_text(path.read_text().replace("9.5", "8.5 "))
        with pytest.raises(AssertionError, match="read again"):
            AnnotationIndex(path, kept)
    assert read(AnnotationIndex(path, kept), path) == grouped(path)


@pytest.mark.parametrize("damage", [lambda raw: raw[:100], lambda raw: b"", lambda raw: b"x" * 500])
def test_a_damaged_file_is_made_again(path, tmp_path, damage):
    kept = tmp_path / "kept.npz"
    AnnotationIndex(path, kept)
    whole = kept.read_bytes()
    kept.write_bytes(damage(whole))
    assert read(AnnotationIndex(path, kept), path) == grouped(path)
    assert read(AnnotationIndex(path, kept), path) == grouped(path)


def test_everything_wrong_is_listed_in_file_order(path):
    whole = json.loads(path.read_text())
    changes = [
        {"image_id": 77},
        {"category_id": 9},
        {"segmentation": []},
        {"image_id": None},
        {"category_id": "2"},
        {"category_id": 2**70},
    ]
    for entry, change in zip(whole["annotations"], changes, strict=False):
        entry.update(change)
    path.write_text(json.dumps(whole))
    _, problems, broken = AnnotationIndex(path).of_images(OUR_IDS)
    wanted = [
        "annotation 0 (image 77) must name a known image_id: 77",
        "must name a known category_id: 9",
        "annotation 3 (image None) must name a known image_id: None",
        "must name a known category_id: '2'",
        f"must name a known category_id: {2**70}",
    ]
    assert broken == [
        f"{path}: annotation 2 (image {whole['annotations'][2]['image_id']}) must have an outline "
        "in 'segmentation', not only a box: []"
    ]
    assert len(problems) == len(wanted)
    for found, part in zip(problems, wanted, strict=True):
        assert found.startswith(f"{path}: annotation ") and part in found


def test_a_file_that_changes_during_a_build(path):
    outlines, *_ = AnnotationIndex(path).of_images(OUR_IDS)
    path.write_text("x" + path.read_text())
    with pytest.raises(DataError, match=r"a.json must not change during a build"):
        list(outlines[10].read(path))
    path.unlink()
    with pytest.raises(DataError, match=r"a.json must not change during a build"):
        list(outlines[10].read(path))


@pytest.mark.parametrize(
    "segmentation",
    [
        [],
        [[]],
        [[1, 2, 3, 4, 5]],
        [[1, 2, 3, 4, 5, 6]],
        [[1, 2, 3, 4, 5, 6], [1, 2, 3, 4]],
        [[1, 2, 3, 4, 5, 6], 7, [1, 2, 3, 4, 5, 6]],
        [[1, 2, 3, 4, 5, 6], [7.5] * 99],
        [[[1, 2, 3, 4, 5, 6]], [7.5] * 99],
        [7, [1, 2, 3, 4, 5, 6]],
        [[0.1234567890123456789e-300] * 6],
        {"counts": "ab]", "size": [5, 6]},
        "text",
        None,
    ],
)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" , ", " : ")])
def test_what_outlines_nothing_is_told_of_its_text(segmentation, separators):
    text = json.dumps(segmentation, separators=separators).encode()
    assert annotation_index._emptiness(text) == emptiness(segmentation)
