"""The same label map in every form it comes in."""

import json

import numpy as np
import pytest
from PIL import Image

from data_pipeline.errors import DataError
from data_pipeline.labels.label_files import read_label_map, read_palette
from data_pipeline.labels.legend import Legend

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
