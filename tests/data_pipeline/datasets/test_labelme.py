"""labelme's shapes, painted here and by hand: which pixels lie in what a person has drawn."""

import base64
import io
import itertools
import json

import numpy as np
import pytest
from PIL import Image

from data_pipeline.datasets.labelme import open_labelme
from data_pipeline.errors import DataError
from tests.data_pipeline.sources import HEIGHT, WIDTH, labelme_content, picture, write_labelme

Y, X = np.mgrid[:HEIGHT, :WIDTH]


@pytest.fixture
def source(tmp_path):
    return write_labelme(tmp_path / "shots")


def png(mask):
    """A mask as labelme stores it: 0 and 1 in a grey PNG, in base64."""
    data = io.BytesIO()
    Image.fromarray(np.asarray(mask, np.uint8)).save(data, "PNG")
    return base64.b64encode(data.getvalue()).decode()


def write(root, shapes, name="a", /, **changes):
    picture(root / f"{name}.jpg")
    content = {**labelme_content(f"{name}.jpg", shapes), **changes}
    path = root / f"{name}.json"
    path.write_text(json.dumps(content))
    return path


def paint(root, /, *shapes, **changes):
    """The label map of shapes (label, kind, points), as classes in alphabetical order."""
    write(root, shapes, **changes)
    dataset = open_labelme(root, None)
    (item,) = dataset.items["train"]
    image, labels = dataset.load(item)
    assert image.size == (WIDTH, HEIGHT) and labels.dtype == np.int32
    return labels


def inside(corners, margin):
    """Pixels whose centre lies at least `margin` inside a convex polygon, given clockwise."""
    result = np.ones((HEIGHT, WIDTH), bool)
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        side = ((x1 - x0) * (Y - y0) - (y1 - y0) * (X - x0)) / np.hypot(x1 - x0, y1 - y0)
        result &= side >= margin
    return result


def between(labels, least, most):
    """Checks a shape whose pixels on the edge are the painter's choice."""
    assert least.any() and (labels[least] == 1).all() and (labels[~most] == 0).all()


def distance(*points):
    """Distance of each pixel to a line through points."""
    nearest = np.full((HEIGHT, WIDTH), np.inf)
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        length = (x1 - x0) ** 2 + (y1 - y0) ** 2
        along = np.clip(((X - x0) * (x1 - x0) + (Y - y0) * (y1 - y0)) / length, 0, 1)
        nearest = np.minimum(
            nearest, np.hypot(X - x0 - along * (x1 - x0), Y - y0 - along * (y1 - y0))
        )
    return nearest


@pytest.mark.parametrize("corners", [[[5, 8], [20, 30]], [[20, 8], [5, 30]], [[20, 30], [5, 8]]])
def test_rectangle_between_any_two_corners(tmp_path, corners):
    expected = (X >= 5) & (X <= 20) & (Y >= 8) & (Y <= 30)
    np.testing.assert_array_equal(paint(tmp_path, ("a", "rectangle", corners)), expected)


@pytest.mark.parametrize("kind", ["polygon", "oriented_rectangle", None])
def test_polygons(tmp_path, kind):
    corners = [[12, 5], [40, 12], [36, 30], [8, 23]]
    labels = paint(tmp_path, ("a", kind, corners))
    between(labels, inside(corners, 0), inside(corners, -1))
    assert all(labels[y, x] == 1 for x, y in corners)  # the outline belongs to it


def test_circle_by_centre_and_a_point_of_its_edge(tmp_path):
    labels = paint(tmp_path, ("a", "circle", [[30, 20], [30, 32]]))
    far = np.hypot(X - 30, Y - 20)
    between(labels, far <= 11.5, far <= 12.8)
    assert labels[8, 30] == labels[32, 30] == labels[20, 18] == labels[20, 42] == 1


def test_point_is_a_disc(tmp_path):
    labels = paint(tmp_path, ("a", "point", [[10, 30]]))
    far = np.hypot(X - 10, Y - 30)
    between(labels, far <= 4.5, far <= 5.8)
    assert labels[25, 10] == labels[35, 10] == 1


def test_lines_are_ten_pixels_wide(tmp_path):
    rows = paint(tmp_path, ("a", "line", [[10, 20], [50, 20]]))[:, 30].nonzero()[0]
    assert len(rows) == 10 and {rows[0], rows[-1]} in ({15, 24}, {16, 25})
    bend = [[10, 8], [40, 8], [50, 34]]
    labels = paint(tmp_path, ("a", "linestrip", bend))
    # The ends are cut off straight, and the bend is round.
    middle = (X >= 10) & (inside([[10, 0], [45, 0], [45, 34], [10, 34]], 0) | (Y < 30))
    assert (labels[middle & (distance(*bend) <= 4)] == 1).all()
    assert (labels[distance(*bend) > 6.1] == 0).all()


def mask_shape(points, mask):
    return {"label": "a", "shape_type": "mask", "points": points, "mask": png(mask)}


def test_mask(tmp_path, rng):
    mask = rng.random((7, 9)) < 0.5
    expected = np.zeros((HEIGHT, WIDTH), int)
    expected[12:19, 30:39] = mask
    labels = paint(tmp_path, shapes=[mask_shape([[30, 12], [38, 18]], mask)])
    np.testing.assert_array_equal(labels, expected)
    # Corners between pixels are rounded, and the mask keeps its size.
    labels = paint(tmp_path, shapes=[mask_shape([[29.6, 12.4], [38.9, 18.8]], mask)])
    np.testing.assert_array_equal(labels, expected)
    # Whole corners crop it, and so does the picture.
    expected[:] = 0
    expected[0:3, 0:4] = mask[2:5, 1:5]
    labels = paint(tmp_path, shapes=[mask_shape([[-1, -2], [3, 2]], mask)])
    np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize(
    "mask, reason",
    [
        (png(np.ones((2, 2))), "2x2 for a box of 7x9"),
        (png(np.ones((7, 9, 3))), "3 channels"),
        ("AAAA", "cannot identify"),
        ("A", "base64|padding|1 more than"),
    ],
)
def test_malformed_mask(tmp_path, mask, reason):
    shape = {**mask_shape([[30, 12], [38, 18]], [[1]]), "mask": mask}
    with pytest.raises(DataError, match=rf"a.json: shape 0 \(a\) .*well-formed mask.*({reason})"):
        paint(tmp_path, shapes=[shape])


def test_later_shapes_cover_earlier_ones(source):
    dataset = open_labelme(source, None)
    assert dataset.class_names == ("unlabelled", "road", "sky")  # alphabetical
    expected = np.zeros((HEIGHT, WIDTH), int)
    expected[:20, :30] = 2
    expected[10:30, 20:50] = 1
    for split in ("train", "val"):
        assert [item.name for item in dataset.items[split]] == [f"{split}/0", f"{split}/1"]
        np.testing.assert_array_equal(dataset.load(dataset.items[split][1])[1], expected)


def test_the_order_of_labels_txt_and_names_for_nothing(tmp_path):
    shapes = [
        (name, "rectangle", [[x, 0], [x + 9, 39]])
        for x, name in ((0, "b"), (10, "_background_"), (20, "a"), (30, "__ignore__"), (0, "b"))
    ]
    assert paint(tmp_path, *shapes)[0, ::10].tolist() == [2, 0, 1, 0, 0, 0]
    (tmp_path / "labels.txt").write_text("__ignore__\n_background_\nb\nnever\na\n")
    assert paint(tmp_path, *shapes)[0, ::10].tolist() == [1, 0, 3, 0, 0, 0]
    (tmp_path / "labels.txt").write_text("__ignore__\n_background_\n")
    with pytest.raises(DataError, match=r"(?s)2 problems.*labels.txt must list .*'a'.*'b'"):
        open_labelme(tmp_path, None)


def test_what_is_no_file_of_labelme_is_left_out(source):
    (source / "class_names.json").write_text('["sky"]')
    (source / "train/instances.json").write_text('{"images": []}')
    picture(source / "train/not_labelled.jpg")
    write(source / "train station", [("sky", "point", [[3, 3]])], "stop")
    write(source / "test", [("sky", "point", [[3, 3]])])
    found = {split: len(items) for split, items in open_labelme(source, None).items.items()}
    assert found == {"train": 3, "val": 2}


def test_where_the_picture_may_be(tmp_path):
    sky = [("sky", "point", [[3, 3]])]
    (tmp_path / "json").mkdir()
    picture(tmp_path / "shots/one.png", 1)
    write(tmp_path / "json", sky, "a", imagePath="..\\shots\\one.png")
    write(tmp_path / "json", sky, "b", imagePath="C:\\Users\\me\\b.jpg")  # moved since
    held = write(tmp_path / "json", sky, "c")
    data = base64.b64encode((tmp_path / "shots/one.png").read_bytes()).decode()
    held.with_suffix(".jpg").unlink()
    held.write_text(json.dumps({**json.loads(held.read_text()), "imageData": data}))
    dataset = open_labelme(tmp_path, None)
    a, b, c = dataset.items["train"]
    assert a.image.resolve() == tmp_path / "shots/one.png" and b.image == tmp_path / "json/b.jpg"
    pictures = [np.asarray(dataset.load(item)[0]) for item in (a, b, c)]
    np.testing.assert_array_equal(pictures[0], pictures[2])
    assert (pictures[0] != pictures[1]).any()
    held.write_text(json.dumps({**json.loads(held.read_text()), "imageData": "AAAA"}))
    with pytest.raises(DataError, match="c.json: imageData must be a complete, readable picture"):
        dataset.load(c)


def test_size_other_than_the_json_says(tmp_path):
    with pytest.raises(DataError, match="40x60 in .*a.jpg and 40x61 in .*a.json"):
        paint(tmp_path, ("a", "point", [[1, 1]]), imageWidth=61)
    labels = paint(tmp_path, ("a", "point", [[1, 1]]), imageWidth=None, imageHeight=None)
    assert labels.shape == (HEIGHT, WIDTH)


@pytest.mark.parametrize(
    "shape, message",
    [
        (("a", "polygon", [[1, 1], [2, 2]]), "have 3 points or more as a polygon .*: 2"),
        (("a", "rectangle", [[1, 1], [2, 2], [3, 3]]), "have 2 points as a rectangle .*: 3"),
        (("a", "circle", None), "have 2 points as a circle .*: None"),
        (("a", "points", [[1, 1]]), "shape_type of polygon, .*'points'"),
        (("a", "point", [[1, "1"]]), "finite numbers"),
        (("a", "point", [[1, float("nan")]]), "finite numbers"),
        (("a", "point", [[1, 1, 1]]), r"points \[x, y\]"),
        (("a", "mask", [[1, 1], [2, 2]]), "PNG in base64 .*: None"),
        ((None, "point", [[1, 1]]), "a str 'label'"),
    ],
)
def test_malformed_shape(tmp_path, shape, message):
    path = write(tmp_path, [("b", "point", [[1, 1]]), shape])
    with pytest.raises(DataError, match=f"shape 1 must .*{message}") as caught:
        open_labelme(tmp_path, None)
    assert str(path) in str(caught.value)


def test_all_problems_of_all_files_at_once(tmp_path):
    sky = [("sky", "point", [[3, 3]])]
    (tmp_path / "z.json").write_text("{")
    write(tmp_path, [("sky", "line", [[3, 3]])], "a")
    write(tmp_path, sky, "b", imageHeight=0)
    write(tmp_path, sky, "c", shapes=3)
    with pytest.raises(DataError, match="4 problems") as caught:
        open_labelme(tmp_path, None)
    for part in ("a.json: shape 0", "b.json: imageHeight", "c.json: shapes", "z.json must be a"):
        assert f"{tmp_path}/{part}" in str(caught.value)


def test_missing_pictures_and_nothing_at_all(tmp_path):
    for name in "ab":
        write(tmp_path, [("sky", "point", [[3, 3]])], name).with_suffix(".jpg").unlink()
    with pytest.raises(DataError, match=r"(?s)2 problems.*a.json: imagePath .*'a.jpg'.*b.json"):
        open_labelme(tmp_path, None)
    with pytest.raises(DataError, match="JSON files of labelme for val"):
        open_labelme(write_labelme(tmp_path / "val only").joinpath("train"), ("val",))


def test_broken_shapes_and_files_can_be_left_out(tmp_path):
    source = write_labelme(tmp_path)
    path = source / "train/0.json"
    content = json.loads(path.read_text())
    content["shapes"][1]["points"] = [[1, 1]]
    path.write_text(json.dumps(content))
    (source / "train/1.json").write_text("{")
    with pytest.raises(DataError, match="2 problems"):
        open_labelme(source, None)
    dataset = open_labelme(source, None, skip_broken=True)
    assert len(dataset.broken) == 2 and len(dataset.items["train"]) == 1
    # Left are the label "sky" of the broken file's first shape, and both labels of val.
    labels = dataset.load(dataset.items["train"][0])[1]
    assert [dataset.class_names[i] for i in np.unique(labels)] == ["unlabelled", "sky"]
