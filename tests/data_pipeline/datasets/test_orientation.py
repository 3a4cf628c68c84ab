"""Pictures that are stored on their side or upside down."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from data_pipeline.datasets.orientation import BY_TAG, FITS, STORED, upright
from data_pipeline.datasets.pictures import check_same_size, open_rgb
from data_pipeline.errors import DataError
from tests.data_pipeline.helpers import records, refused
from tests.data_pipeline.sources import WRITERS, blocks, save_ids, write_folder

# A picture of 4 rows and 6 columns, every pixel different, as a viewer shows it.
SHOWN = np.stack(np.broadcast_arrays(*np.ogrid[:4, :6], 9), -1).astype(np.uint8) * 20
# How a camera stores it: by EXIF's own words, row 0 and column 0 of the stored picture are the
# top and left of the shown one (1), top and right (2), bottom and right (3), ...
STORED_AS = {
    1: SHOWN,
    2: SHOWN[:, ::-1],
    3: SHOWN[::-1, ::-1],
    4: SHOWN[::-1],
    5: SHOWN.transpose(1, 0, 2),
    6: SHOWN.transpose(1, 0, 2)[::-1],
    7: SHOWN.transpose(1, 0, 2)[::-1, ::-1],
    8: SHOWN.transpose(1, 0, 2)[:, ::-1],
}


def save(path, pixels, orientation, **options):
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(pixels)).save(path, exif=exif, **options)
    return path


@pytest.mark.parametrize("orientation", STORED_AS)
@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_turned_to_what_a_viewer_shows(tmp_path, orientation, suffix):
    options = {"lossless": True} if suffix == "webp" else {}
    path = save(tmp_path / f"a.{suffix}", STORED_AS[orientation], orientation, **options)
    image = open_rgb(path)
    np.testing.assert_array_equal(np.asarray(image), STORED_AS[orientation])
    turned, done = upright(image, (4, 6))
    np.testing.assert_array_equal(np.asarray(turned), SHOWN)
    np.testing.assert_array_equal(np.asarray(turned), ImageOps.exif_transpose(Image.open(path)))
    assert done == (None if orientation == 1 else FITS if orientation >= 5 else BY_TAG)


def test_labels_of_stored_pixels(tmp_path):
    image = open_rgb(save(tmp_path / "a.png", STORED_AS[6], 6))  # 6 rows, 4 columns
    check_same_size(image, "a.png", (6, 4), "a")
    same, done = upright(image, (6, 4))
    assert same is image and done == STORED
    with pytest.raises(DataError, match="6x4 in a.png and 6x5 in a"):
        check_same_size(image, "a.png", (6, 5), "a")
    assert upright(image, (6, 5)) == (image, None)


def test_nothing_is_followed_if_told_so(tmp_path):
    image = open_rgb(save(tmp_path / "a.png", STORED_AS[3], 3))
    same, done = upright(image, (4, 6), follow=False)
    assert same is image and done == STORED


@pytest.mark.parametrize("tag", [0, 9, 77])
def test_tags_that_mean_nothing(tmp_path, tag):
    assert upright(open_rgb(save(tmp_path / "a.png", SHOWN, tag)), (4, 6))[1] is None


def test_build_turns_and_counts(run, tmp_path, out):
    """Brightness is the label, so that a picture that lies wrong shows."""
    source = write_folder(tmp_path / "own", train=4, val=0)
    ids = blocks(0, 1, 2, size=(64, 128))
    shown = np.repeat(ids[..., None], 3, axis=-1).astype(np.uint8) * 100
    stored = {
        0: (np.rot90(shown, 2), 3),  # the size does not tell
        1: (np.rot90(shown), 6),  # stored on its side
        2: (shown, 6),  # labelled as stored
        3: (shown, 1),
    }
    for i, (pixels, orientation) in stored.items():
        save(source / f"images/train/train_{i:02d}.jpg", pixels, orientation, quality=100)
        save_ids(source / f"labels/train/train_{i:02d}.png", ids)
    flags = ("--split", "train", "--no_crop")
    code, summary, _ = run("folder", source, out, *flags)
    assert code == 0
    for record in records(out, "train"):
        wrong = np.abs(record["image"].numpy()[..., 0] - 100.0 * (record["label_map"].numpy() - 1))
        assert np.median(wrong) < 4, record["name"]
    assert (
        "turned        2 pictures, upright as the EXIF orientation says; of 1 the size" in summary
    )
    assert "not turned    1 picture with an EXIF orientation, labelled as stored" in summary
    error = refused(
        run, tmp_path / "two", "folder", source, tmp_path / "two", *flags, "--exif", "ignore"
    )
    assert "1 of 4 examples cannot be used" in error and "128x64 in" in error


NAMES = ("lvis", "ade20k", "voc", "coco", "coco_panoptic", "labelme", "mapillary")


@pytest.mark.parametrize("name", NAMES)
def test_every_reader_of_pictures_and_labels(run, tmp_path, out, name):
    source = WRITERS[name](tmp_path / "source")
    picture = next(p for p in sorted(source.rglob("*.jpg")) if "train" in str(p))
    save(picture, np.rot90(np.asarray(Image.open(picture))), 6)
    code, summary, error = run(name, source, out, "--split", "train")
    assert code == 0, error
    assert "turned        1 picture, upright as the EXIF orientation says\n" in summary
