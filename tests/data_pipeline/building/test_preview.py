"""What `preview.png` shows, pixel by pixel, and how large it gets."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from data_pipeline.building.preview import EXAMPLES, draw_preview, some_examples
from data_pipeline.labels.palette import default_palette
from data_pipeline.records.manifest import Manifest, Shard, Split
from tests.data_pipeline.sources import write_folder


def manifest(names, pixels):
    shard = Shard("train-00000-of-00001.tfrecord", 1, 5, "ab")
    return Manifest(
        dataset="folder",
        num_classes=len(names),
        class_names=names,
        palette=tuple(map(tuple, default_palette(len(names)).tolist())),
        label_ids=None,
        image_size=(64, 128),
        splits={"train": Split(1, (64, 128), 0.0, pixels, 0, (shard,))},
        command="",
        request={},
        versions={},
    )


def colours(picture):
    found, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
    return dict(zip(map(tuple, found.tolist()), counts.tolist(), strict=True))


def test_picture_labels_and_legend():
    picture = np.full((64, 128, 3), (200, 100, 0), np.uint8)
    label_map = np.repeat([[1, 2]], 64, axis=1).repeat(64, axis=0)
    mine = manifest(("unlabelled", "sky", "road"), (0, 4096, 4096))
    found = colours(draw_preview([("a", picture, label_map)], mine))
    assert found[200, 100, 0] == 64 * 128
    for label in (1, 2):  # 60% of the class's colour over the grey of (200 + 100 + 0) / 3
        mixed = np.round(0.6 * np.array(mine.palette[label]) + 0.4 * 100).astype(int)
        assert found[tuple(mixed.tolist())] == 64 * 64
        assert found[mine.palette[label]] > 300  # its field in the legend


def test_a_legend_of_many_classes_shows_the_most_frequent(monkeypatch):
    names = ("unlabelled", *(f"class {i}" for i in range(1, 1204)))
    # Class i has i pixels, of class 1203 down to 1104; nothing else has any.
    pixels = tuple(i if i >= 1104 else 0 for i in range(1204))
    said = []
    from data_pipeline.building import preview

    fitting = preview._fitting
    monkeypatch.setattr(
        preview, "_fitting", lambda text, *a, **k: said.append(text) or fitting(text, *a, **k)
    )
    drawn = draw_preview(
        [(f"{i}", np.zeros((72, 143, 3), np.uint8), np.zeros((72, 143), int)) for i in range(12)],
        manifest(names, pixels),
    )
    assert said[12:15] == ["unlabelled", "class 1203", "class 1202"] and len(said) == 12 + 48
    legend = preview._Legend(manifest(names, pixels), 3)
    # 1203 ... 1157 are shown; 1156 ... 1104 are 53 of together 59,890 of 115,350 pixels: 51.9%.
    assert sum(range(1104, 1157)) == 59890 and sum(range(1104, 1204)) == 115350
    assert legend._note == (
        "53 more classes with 51.9% of all pixels; 1103 classes of the list have no pixel"
    )
    assert drawn.shape[0] < 2000 and drawn.shape[1] < 2000


@pytest.mark.parametrize("size", [(64, 64), (64, 512), (512, 64), (600, 800)])
@pytest.mark.parametrize("count", [1, 5, 12])
def test_any_size_and_number(size, count):
    example = ("a/name of many letters " * 9, np.zeros((*size, 3), np.uint8), np.zeros(size, int))
    drawn = draw_preview([example] * count, manifest(("unlabelled", "sky" * 40), (5, 5)))
    assert drawn.dtype == np.uint8 and max(drawn.shape) < 2000


def test_build_draws_it(run, tmp_path, out):
    source = write_folder(tmp_path / "own", train=14, val=1)
    code, summary, _ = run("folder", source, out)
    assert code == 0 and f"look at       {out}/preview.png" in summary
    mine = Manifest.read(out)
    found = some_examples(out, mine)
    assert len(found) == EXAMPLES and all(name.startswith("train_") for name, *_ in found)
    with Image.open(out / "preview.png") as image:
        np.testing.assert_array_equal(np.asarray(image), draw_preview(found, mine))
    only_val = dataclasses.replace(mine, splits={"val": mine.splits["val"]})
    assert [name for name, *_ in some_examples(out, only_val)] == ["val_00"]
