"""Which files are left out where pictures are written beside label maps."""

from oasis_tf.own_pictures import without_own_pictures

LABELS = ("a.png", "b_seed1.png", "sub/c.png", "contact_sheet.png")
PICTURES = (
    "a_sample000_seed7.png",
    "a_sample1000_seed7.png",
    "a_seed0.png",
    "a_seed0_edit001_seed2.png",
    "a_seed0_strip.png",
    "a_seed0_to_seed3.png",
    "b_seed1_sample000_seed0.png",
    "sub/c_sample000_seed0.png",
)
# Names that only look alike, or pictures of label maps that are not there.
OTHERS = ("a_sample.png", "a_seedling.png", "x_sample000_seed1.png", "a_seed0_edit.png")


def left(tmp_path, names, out):
    files = [tmp_path / name for name in names]
    kept = without_own_pictures(files, tmp_path / out)
    return [str(file.relative_to(tmp_path)) for file in kept]


def test_pictures_where_they_are_written(tmp_path):
    names = [*LABELS, *PICTURES, *OTHERS]
    assert left(tmp_path, names, ".") == [*LABELS[:3], *OTHERS]


def test_a_contact_sheet_alone_is_somebody_elses(tmp_path):
    assert left(tmp_path, LABELS, ".") == list(LABELS)


def test_below_the_label_maps(tmp_path):
    names = ["a.png", "a_seed0.png", "out/a_sample000_seed7.png", "out/contact_sheet_2.png"]
    assert left(tmp_path, names, "out") == ["a.png", "a_seed0.png"]


def test_elsewhere(tmp_path):
    assert left(tmp_path, ["a.png", "a_seed0.png"], "out") == ["a.png", "a_seed0.png"]
