"""The same label map in every form it comes in."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from data_pipeline.errors import DataError
from data_pipeline.labels.label_files import read_label_map, read_palette
from data_pipeline.labels.legend import Legend
from tests.label_corpus import GREY_ALPHA, png

COLOURS = ((40, 40, 40), (10, 20, 30), (200, 0, 0))
LEGEND = Legend(("unlabelled", "sky", "sea"), COLOURS)
IDS = np.array([[0, 1, 2], [2, 2, 1]], np.uint8)


def write(path, form):
    if form == "16 bits":
        image = Image.fromarray(IDS.astype(np.uint16))
    elif form == "colours":
        image = Image.fromarray(np.array(COLOURS, np.uint8)[IDS])
    elif form == "colours and alpha":
        image = Image.fromarray(np.array(COLOURS, np.uint8)[IDS]).convert("RGBA")
    else:
        image = Image.fromarray(IDS)
        if form == "palette":
            image.putpalette(sum(COLOURS, ()))
    image.save(path)


@pytest.mark.parametrize("form", ["8 bits", "16 bits", "palette", "colours", "colours and alpha"])
def test_every_form(tmp_path, form):
    write(tmp_path / "a.png", form)
    label_map = read_label_map(tmp_path / "a.png", LEGEND)
    assert label_map.dtype == np.int32
    np.testing.assert_array_equal(label_map, IDS)


@pytest.mark.parametrize("form", ["palette", "colours"])
def test_a_palette_of_ones_own(tmp_path, form):
    """Colours are told by name, whatever their order in the file and in the model."""
    other = Legend(("unlabelled", "sea", "sky"), ((0, 0, 0), (1, 1, 1), (2, 2, 2)))
    names = zip(LEGEND.class_names, COLOURS, strict=True)
    entries = [{"name": name.upper(), "color": list(colour)} for name, colour in names]
    (tmp_path / "palette.json").write_text(json.dumps(entries))
    write(tmp_path / "a.png", form)
    palette = read_palette(tmp_path / "palette.json", other)
    label_map = read_label_map(tmp_path / "a.png", other, palette)
    np.testing.assert_array_equal(label_map, np.array([0, 2, 1])[IDS])


def test_two_classes_of_one_colour_in_a_palette_of_ones_own(tmp_path):
    entries = [{"name": "sky", "color": [10, 20, 30]}, {"name": "sea", "color": [10, 20, 30]}]
    entries.append({"name": "unlabelled", "color": [40, 40, 40]})
    (tmp_path / "palette.json").write_text(json.dumps(entries), encoding="utf-8-sig")
    palette = read_palette(tmp_path / "palette.json", LEGEND)
    write(tmp_path / "a.png", "8 bits")
    np.testing.assert_array_equal(read_label_map(tmp_path / "a.png", LEGEND, palette), IDS)
    write(tmp_path / "a.png", "colours")
    with pytest.raises(DataError, match=r"\(10, 20, 30\): 2 pixels, the colour of ids 1, 2"):
        read_label_map(tmp_path / "a.png", LEGEND, palette)


def test_bad_files(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"a.png must be a complete, readable picture"):
        read_label_map(path, LEGEND)
    Image.fromarray(IDS + 2).save(path)
    with pytest.raises(DataError, match=r"a.png: .*3 classes. Received:\n  id 3: 2 pixels"):
        read_label_map(path, LEGEND)
    Image.fromarray(np.full((2, 3, 3), 99, np.uint8)).save(path)
    with pytest.raises(DataError, match=r"a.png: every colour .*\n  \(99, 99, 99\): 6 pixels"):
        read_label_map(path, LEGEND)


def test_bad_palettes(tmp_path):
    path = tmp_path / "palette.json"
    path.write_text('["sky"]')
    with pytest.raises(DataError, match="names without colours"):
        read_palette(path, LEGEND)
    path.write_text('[{"name": "skye", "color": [1, 2, 3]}]')
    with pytest.raises(DataError, match="palette.json: .*'skye'; the nearest: sky"):
        read_palette(path, LEGEND)


def test_files_of_tools(shared):
    """Each form means what the picture meant; an index means nothing without its data set."""
    directory = shared / "data" / "label_files"
    expected = np.load(directory / "expected_ids.npz")
    names = tuple(f"thing {i}" for i in range(1204))
    legend = Legend.coloured(names, {65535: 0, **{i: i for i in range(1, 1204)}, 0: 1203})
    voc = Image.open(directory / "palette_voc.png").getpalette()
    colours = {i: tuple(voc[3 * i : 3 * i + 3]) for i in range(256)}
    with_palette = replace(legend, label_palette=colours)
    read = set()
    for path in sorted(directory.glob("*.png")):
        if path.stem == "palette_transparency":
            with pytest.raises(DataError, match=f"{path.name}: every colour"):
                read_label_map(path, legend)
            continue
        label_map = read_label_map(path, with_palette if "voc" in path.stem else legend)
        np.testing.assert_array_equal(label_map, legend.to_ours(expected[path.stem]))
        read.add(path.stem)
    assert read == set(expected.files) - {"palette_transparency"}


def test_sixteen_bits_with_opacity_are_refused(tmp_path):
    """Pillow would make ids of their higher halves."""
    path = tmp_path / "a.png"
    samples = np.stack([IDS.astype(int) + 300, np.full(IDS.shape, 65535)], -1)
    path.write_bytes(png(samples, GREY_ALPHA, 16))
    with pytest.raises(DataError, match=r"a.png: greys of 16 bits must be saved without opacity"):
        read_label_map(path, LEGEND)


def test_two_classes_of_one_colour_are_told_by_the_index(tmp_path):
    legend = Legend(("unlabelled", "sky", "sea"), ((0, 0, 0), (9, 9, 200), (9, 9, 200)))
    image = Image.fromarray(IDS)
    image.putpalette(sum(legend.palette, ()))
    image.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_label_map(tmp_path / "a.png", legend), IDS)


def test_the_unlabelled_id_beyond_the_list_may_have_any_colour(tmp_path):
    """As VOC's border; the colour of another index is still refused."""
    legend = Legend(
        ("unlabelled", "sky", "sea"),
        ((40, 40, 40), (0, 0, 250), (0, 90, 90)),
        {0: 1, 1: 2, 255: 0},
        {0: (0, 0, 250), 1: (0, 90, 90)},
    )
    ids = np.array([[0, 1, 255], [1, 1, 0]], np.uint8)
    image = Image.fromarray(ids)
    image.putpalette([0, 0, 250, 0, 90, 90, *[9] * 759, 224, 224, 192])
    image.save(tmp_path / "a.png")
    label_map = read_label_map(tmp_path / "a.png", legend)
    np.testing.assert_array_equal(label_map, [[1, 2, 0], [2, 2, 1]])
    ids[0, 0] = 7
    image.paste(Image.fromarray(ids))
    image.save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"\(9, 9, 9\) of index 7: 1 pixels"):
        read_label_map(tmp_path / "a.png", legend)
