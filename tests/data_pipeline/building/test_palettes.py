"""Whether the palettes of many files agree, and what is said where they do not."""

import json

import numpy as np
import pytest
from PIL import Image

from data_pipeline.building.palettes import Palettes
from data_pipeline.errors import DataError
from data_pipeline.labels.label_rule import IndexPalette
from data_pipeline.records.manifest import Manifest
from tests.data_pipeline.helpers import refused
from tests.data_pipeline.sources import blocks, write_folder

BLACK, RED, BLUE, GREEN = (0, 0, 0), (255, 0, 0), (0, 0, 255), (0, 255, 0)


def palettes(**files):
    found = Palettes()
    for label, (colours, used) in files.items():
        found.add(IndexPalette(colours, used, False), label)
    return found


def test_what_all_agree_on():
    found = palettes(a=((BLACK, RED, BLUE), (0, 2)), b=((BLACK, RED), (1,)))
    assert found.agreed(range(3)) == {0: BLACK, 1: RED, 2: BLUE}
    assert found.agreed((1, 9)) == {1: RED}
    assert Palettes().agreed(range(3)) is None


def test_entries_that_no_pixel_uses_may_differ():
    found = palettes(a=((BLACK, RED, BLUE), (0,)), b=((BLACK, RED, GREEN), (1,)))
    assert found.agreed(range(3)) == {0: BLACK, 1: RED}


@pytest.mark.parametrize("used", [(0,), (0, 1)])
def test_an_index_of_two_colours_names_both_files(used):
    """Of c the index has pixels; in a, whether it has or not, it would be another colour."""
    found = palettes(a=((BLACK, RED), used), b=((BLACK,), (0,)), c=((BLACK, BLUE), (1,)))
    other = Palettes()
    other.update(Palettes.from_json(json.loads(json.dumps(found.to_json()))))
    with pytest.raises(DataError, match=r"index 1 is .* in (a|c) and .* in (a|c)") as caught:
        other.agreed(range(2))
    assert "(255, 0, 0) in a" in str(caught.value) and "(0, 0, 255) in c" in str(caught.value)
    assert "index 0" not in str(caught.value)


def save(path, indices, *colours):
    image = Image.fromarray(indices.astype(np.uint8)).convert("P")
    image.putpalette(np.array(colours, np.uint8).tobytes())
    image.save(path)


def test_renumbered_files_are_refused(run, source, out):
    """As tools that make files smaller leave them: each file numbers what it uses from 0 on."""
    for path in sorted(source.glob("labels/*/*.png")):
        save(path, blocks(0, 1, 2), BLACK, RED, BLUE)
    code, _, _ = run("folder", source, out)
    assert code == 0 and Manifest.read(out).label_palette == {0: BLACK, 1: RED, 2: BLUE}
    bad = source / "labels/train/train_01.png"
    save(bad, blocks(0, 1), BLACK, BLUE)
    other = out.with_name("other")
    error = refused(run, other, "folder", source, other)
    assert f"index 1 is (0, 0, 255) in {bad}" in error or f"(0, 0, 255) in {bad}" in error
    assert "(255, 0, 0) in" in error and "Received" in error


def test_greys_beside_indices_are_refused(run, source, out):
    first, second = sorted(source.glob("labels/train/*.png"))[:2]
    save(first, blocks(0, 1, 2), BLACK, RED, BLUE)
    save(second, blocks(0, 1), (1, 1, 1), (2, 2, 2))
    error = refused(run, out, "folder", source, out)
    assert f"a palette of greys in {second} and one of colours in {first}" in error


def test_fixed_data_sets_are_looked_at_too(run, tmp_path, out):
    from tests.data_pipeline.sources import write_ade20k

    source = write_ade20k(tmp_path / "ade20k")
    first, second = sorted(source.glob("annotations/training/*.png"))
    save(first, blocks(0, 1), BLACK, RED)
    save(second, blocks(0, 1), BLACK, BLUE)
    error = refused(run, out, "ade20k", source, out)
    assert str(first) in error and str(second) in error


def test_a_list_with_colours_needs_no_agreement(run, tmp_path, out):
    source = write_folder(tmp_path / "own")
    entries = zip(("sky", "road", "tree"), (BLACK, RED, BLUE), strict=True)
    (source / "class_names.json").write_text(
        json.dumps([{"name": name, "color": colour} for name, colour in entries])
    )
    for i, path in enumerate(sorted(source.glob("labels/*/*.png"))):
        order = np.roll([0, 1, 2], i)
        colours = np.array([BLACK, RED, BLUE])[order]
        save(path, np.argsort(order)[blocks(0, 1, 2)], *colours)
    code, _, _ = run("folder", source, out, "--no_crop")
    assert code == 0
    manifest = Manifest.read(out)
    assert manifest.label_palette == {0: BLACK, 1: RED, 2: BLUE}
    for split in manifest.splits.values():
        # Stripes as wide as each other, resized from 60 to 128 columns.
        share = np.array(split.pixels_per_class) / sum(split.pixels_per_class)
        np.testing.assert_allclose(share, [0, 1 / 3, 1 / 3, 1 / 3], atol=1 / 128)
