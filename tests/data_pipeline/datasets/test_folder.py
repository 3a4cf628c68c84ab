import json

import numpy as np
import pytest
from PIL import Image

from data_pipeline.datasets.folder import open_folder
from data_pipeline.errors import DataError
from data_pipeline.labels.class_list import ClassList, read_class_list
from tests.data_pipeline.sources import blocks, picture, save_ids, write_folder

COLOURS = {"sky": [1, 2, 3], "void": [0, 0, 0], "road": [255, 0, 9]}


@pytest.fixture
def source(tmp_path):
    return write_folder(tmp_path / "own")


def first_ids(source, **options):
    dataset = open_folder(source, ("train",), **options)
    labels = dataset.load(dataset.items["train"][0])[1]
    return dataset.class_names, labels[0, [0, 30, 59]].tolist()  # one pixel of each stripe 0, 1, 2


def test_without_unlabelled_class_all_ids_shift(source):
    assert first_ids(source) == (("unlabelled", "sky", "road", "tree"), [1, 2, 3])


@pytest.mark.parametrize("unlabelled", ["1", "road"])
def test_unlabelled_by_id_and_name(source, unlabelled):
    names, ids = first_ids(source, unlabelled=unlabelled)
    assert (names, ids) == (("unlabelled", "sky", "tree"), [1, 0, 2])


def test_unlabelled_is_found_by_its_name(source):
    (source / "class_names.json").unlink()
    (source / "class_names.txt").write_text("sky\nroad\n\nunlabeled\n")
    assert first_ids(source) == (("unlabelled", "sky", "road"), [1, 2, 0])


def test_unlabelled_id_beyond_the_list(source):
    save_ids(source / "labels/train/train_00.png", blocks(0, 255, 2))
    names, ids = first_ids(source, unlabelled="255")
    assert (names, ids) == (("unlabelled", "sky", "road", "tree"), [1, 0, 3])


@pytest.mark.parametrize("unlabelled, shift", [(None, 1), (1, 0), (255, 1)])
def test_ids_beyond_the_list_can_be_told_back(unlabelled, shift):
    classes = ClassList(("a", "b", "c"), None, unlabelled)
    assert classes.id_shift == shift
    assert classes.to_ours(np.array([[3, 9, 300]])).tolist() == [
        [3 + shift, 9 + shift, 300 + shift]
    ]
    assert 3 + shift >= len(classes.class_names)


def test_sixteen_bits_palette_and_sub_directories(tmp_path):
    (tmp_path / "class_names.json").write_text(json.dumps([f"c{i}" for i in range(700)]))
    for i in (0, 1):
        picture(tmp_path / "images/train/a" / f"{i}.png")
    save_ids(tmp_path / "labels/train/a/0.png", blocks(0, 300, 699), np.uint16)
    palette = Image.fromarray(blocks(0, 3, 2).astype(np.uint8)).convert("P")
    palette.putpalette(bytes(range(12)))
    palette.save(tmp_path / "labels/train/a/1.png")
    dataset = open_folder(tmp_path, None)
    assert list(dataset.items) == ["train"]  # val does not exist
    ids = [np.unique(dataset.load(item)[1]).tolist() for item in dataset.items["train"]]
    assert ids == [[1, 301, 700], [1, 3, 4]]


def write_colours(source, third=(255, 0, 9)):
    names = [{"name": name, "color": colour} for name, colour in COLOURS.items()]
    (source / "class_names.json").write_text(json.dumps(names))
    table = np.array([COLOURS["sky"], COLOURS["void"], third], np.uint8)
    for path in (source / "labels/train").iterdir():
        Image.fromarray(table[blocks(0, 1, 2)]).save(path)


def test_colours(source):
    write_colours(source)
    assert first_ids(source, unlabelled="void") == (("unlabelled", "sky", "road"), [1, 0, 2])
    palette = open_folder(source, ("train",), unlabelled="void").palette
    assert palette == ((0, 0, 0), (1, 2, 3), (255, 0, 9))


def test_strange_colour(source):
    write_colours(source, third=(7, 8, 9))
    # 40 rows and a third of the 60 columns
    with pytest.raises(DataError, match=r"(?s)train_00.png.*\(7, 8, 9\): 800 pixels"):
        first_ids(source)


def test_rgb_without_colours(source):
    write_colours(source)
    (source / "class_names.json").write_text('["a", "b", "c"]')
    with pytest.raises(DataError, match=r"train_00.png: a label map must hold.*mode RGB"):
        first_ids(source)


def test_two_pictures_of_one_name(source):
    picture(source / "images/train/train_00.png")
    with pytest.raises(DataError, match=r"train_00.jpg and train_00.png"):
        open_folder(source, None)


@pytest.mark.parametrize(
    "text, message",
    [
        ("[]", "one at least"),
        ("{", "readable class list"),
        ('{"a": [1]}', "one at least"),
        ('{"a": 1}', "ids must be 0 to 0"),
        ('["a", 3]', "names only"),
        ('["a", "a"]', "names must be distinct"),
        ('[{"name": "a", "color": [0, 0, 256]}]', "names only"),
        ('[{"name": "a", "color": [1, 1, 1]}, "b"]', "names only"),
        ('[{"name": "a", "color": [1, 1, 1]}, {"name": "b"}]', "none for 'b'"),
    ],
)
def test_malformed_class_list(tmp_path, text, message):
    path = tmp_path / "names.json"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_class_list(path)
    assert str(path) in str(caught.value)


def test_no_class_list_and_unknown_unlabelled(source):
    with pytest.raises(DataError, match=r"--unlabelled must be.*Received: snow"):
        open_folder(source, None, unlabelled="snow")
    (source / "class_names.json").unlink()
    with pytest.raises(DataError, match=r"class_names.json or class_names.txt"):
        open_folder(source, None)


def test_tiff_pictures_and_label_maps(source):
    for path in sorted((source / "labels/train").iterdir()):
        save_ids(path.with_suffix(".tif"), blocks(0, 1, 2), np.uint16)
        path.unlink()
    for path in sorted((source / "images/train").iterdir()):
        picture(path.with_suffix(".tiff"))
        path.unlink()
    assert first_ids(source)[1] == [1, 2, 3]


def test_a_tiff_of_several_pages_or_of_jpeg_is_no_label_map(source):
    first, second = (source / f"labels/train/train_0{i}" for i in (0, 1))
    page = Image.fromarray(blocks(0, 1, 2).astype(np.uint8))
    page.save(first.with_suffix(".tif"), save_all=True, append_images=[page])
    page.save(second.with_suffix(".tif"), compression="jpeg")
    for path in (first, second):
        path.with_suffix(".png").unlink()
    dataset = open_folder(source, ("train",))
    with pytest.raises(DataError, match="must be one picture. Received: 2 in one file"):
        dataset.load(dataset.items["train"][0])
    with pytest.raises(DataError, match="Received: a picture in JPEG"):
        dataset.load(dataset.items["train"][1])


def test_a_tiff_of_negative_ids_or_of_white_for_zero_is_no_label_map(source):
    first, second = (source / f"labels/train/train_0{i}.tif" for i in (0, 1))
    Image.fromarray(blocks(0, -1, 2)).save(first)
    Image.fromarray(blocks(0, 1, 2).astype(np.uint8)).save(second, tiffinfo={262: 0})
    for path in (first, second):
        path.with_suffix(".png").unlink()
    dataset = open_folder(source, ("train",))
    with pytest.raises(DataError, match="0 or more. Received: 800 pixels below, -1 the lowest"):
        dataset.load(dataset.items["train"][0])
    with pytest.raises(DataError, match="a TIFF file in which 0 is white"):
        dataset.load(dataset.items["train"][1])


def test_pictures_of_floats(source):
    (source / "images/train/train_00.jpg").unlink()
    Image.fromarray(np.zeros((40, 60), np.float32)).save(source / "images/train/train_00.tif")
    dataset = open_folder(source, ("train",))
    with pytest.raises(DataError, match="8 or 16 bits a channel. Received: one of floats"):
        dataset.load(dataset.items["train"][0])


def test_two_classes_of_one_colour_where_maps_hold_ids(source):
    shared = {"sky": [1, 2, 3], "road": [9, 9, 0], "tree": [9, 9, 0]}
    names = [{"name": name, "color": colour} for name, colour in shared.items()]
    (source / "class_names.json").write_text(json.dumps(names))
    assert first_ids(source)[1] == [1, 2, 3]
    # A palette whose indices have the colours of their own classes says which is meant.
    path = source / "labels/train/train_00.png"
    label = Image.fromarray(blocks(0, 1, 2).astype(np.uint8)).convert("P")
    label.putpalette([channel for colour in shared.values() for channel in colour])
    label.save(path)
    assert first_ids(source)[1] == [1, 2, 3]
    # Where colours decide, it cannot be told: 1600 pixels are of either class.
    label.convert("RGB").save(path)
    with pytest.raises(DataError, match=r"\(9, 9, 0\): 1600 pixels, the colour of ids 1, 2"):
        first_ids(source)
    label.convert("RGB").quantize(2).save(path)
    with pytest.raises(DataError, match=r"\(9, 9, 0\) of index .*, the colour of ids 1, 2"):
        first_ids(source)


def test_class_lists_that_lie_there_are_named(source):
    (source / "class_names.json").rename(source / "labels.json")
    with pytest.raises(DataError, match=r"--class_names must name one. Received: labels.json"):
        open_folder(source, None)
