"""Makes `docs/examples.md`, its pictures and the README's, from the data of `make train`.

python -m experiments.make_examples --model runs/demo --data_dir data/sample_64
"""

import argparse
import itertools
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

import oasis_tf  # noqa: E402
from data_pipeline.paths import PathAction  # noqa: E402
from data_pipeline.reading.reader import eval_dataset  # noqa: E402
from data_pipeline.records.png import encode_label_map  # noqa: E402
from oasis_tf.images import (  # noqa: E402
    contact_sheet,
    save_png,
    thumbnail,
)
from oasis_tf.sampling.receptive_field import reach  # noqa: E402

OUT = ROOT / "docs" / "examples"
PAGE = """# Pictures from one label map

Made by `python -m experiments.make_examples` from the run that the model of `make demo` was
exported from: 3,360 steps of the toy preset on 600 drawn pictures of 64x64. The pictures show what
the commands do, not what the method can do.

## Samples

`python -m oasis_tf.synthesize --model runs/demo --labels DIR --out DIR --samples 6`

![label maps and six samples of each](examples/samples.png)

One noise vector for the picture, for each class (`--per_class`), for each connected segment
(`--per_segment`):

![three ways to spread noise](examples/spread.png)

## Edits

`--resample "{resampled}"`: new noise in that class.

![original, mask, edits](examples/resample.png)

`--resample "{changed}" --to_class "{to_class}"`: another class, the same noise first.

![original, mask, edits](examples/to_class.png)

The region's neighbourhood changes a little too. In evaluation the batch statistics are fixed, so
a pixel depends on a window of the label map and the noise: at most {reach} pixels to each side,
most of it through the block at 1/32 of the size (`oasis_tf/sampling/receptive_field.py` counts it
layer by layer).
Beyond that the edited picture is the original, pixel for pixel. At 64x64 the window covers the
whole picture, so here only the strength of the change fades.

## Between two seeds

`python -m oasis_tf.interpolate --model runs/demo --labels FILE --out DIR --seeds 0 3`

![eight frames](examples/interpolation.png)

## Diversity

Mean distance between all pairs of {samples} samples, in grey levels of 255 per channel, when the
noise of some of the classes is redrawn and the rest is kept (`per_class`; mean over {maps} label
maps with {most} classes or more, classes in order of their area):

| classes redrawn | distance |
|---|---|
{diversity}

## Time

50 pictures of one label map, {machine}:

| how | seconds |
|---|---|
| one run of `oasis_tf.synthesize --samples 50` | {together:.0f} |
| 50 runs of one picture (one run, times 50) | {apart:.0f} |

Both give the same files. The network draws one picture at a time in either case: in a batch
TensorFlow rounds some sums differently, and a picture would depend on its neighbours. What a run of
many saves is the start, the loading, the building of the graph and the analysis of the label map.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", action=PathAction, default=ROOT / "runs" / "sample")
    parser.add_argument("--data_dir", action=PathAction, default=ROOT / "data" / "sample_64")
    arguments = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    model = oasis_tf.load(arguments.model)
    label_maps = [b["label_map"][0].numpy() for b in eval_dataset(arguments.data_dir, batch_size=1)]
    busiest = sorted(label_maps, key=lambda m: -len(np.unique(m)))

    draw_samples(model, label_maps[:4])
    draw_spread(model, busiest[0])
    resampled, changed, to_class = draw_edits(model, label_maps)
    frames = model.interpolate(busiest[0], seed=0, to_seed=3)
    cells = [(f"{i / 7:.2f}", thumbnail(frame)) for i, frame in enumerate(frames)]
    save_png(OUT / "interpolation.png", contact_sheet([cells]))
    draw_teaser()
    diversity, most = measure_diversity(model, busiest[:8], samples=6)
    together, apart = measure_time(arguments.model, busiest[0])
    text = PAGE.format(
        resampled=resampled,
        changed=changed,
        to_class=to_class,
        reach=reach(),
        samples=6,
        maps=8,
        most=most,
        diversity="\n".join(f"| {count} | {value:.2f} |" for count, value in diversity),
        machine=f"{os.cpu_count()} CPU cores, {platform.machine()}, no GPU",
        together=together,
        apart=apart,
    )
    (ROOT / "docs" / "examples.md").write_text(text)


def colours(model, label_map):
    return "labels", thumbnail(model.palette[label_map])


def draw_samples(model, label_maps):
    rows = []
    for label_map in label_maps:
        pictures = model.synthesize(label_map, samples=6)
        shown = [(f"seed {k}", thumbnail(picture)) for k, picture in enumerate(pictures)]
        rows.append([colours(model, label_map), *shown])
    save_png(OUT / "samples.png", contact_sheet(rows))


def draw_spread(model, label_map):
    rows = []
    for name, options in (
        ("whole", {}),
        ("per class", {"per_class": True}),
        ("per segment", {"per_segment": True}),
    ):
        pictures = model.synthesize(label_map, samples=5, **options)
        shown = [(f"{name}, seed {k}", thumbnail(picture)) for k, picture in enumerate(pictures)]
        rows.append([colours(model, label_map), *shown])
    save_png(OUT / "spread.png", contact_sheet(rows))


def draw_edits(model, label_maps):
    """Redraws a house, and makes another tree of a tree; returns the names."""
    resampled, changed, to_class = "house", "tree", "fir"
    ids = [model.class_names.index(name) for name in (resampled, changed)]
    label_map = max(label_maps, key=lambda m: min((m == i).sum() for i in ids))
    for file, classes, options in (
        ("resample", resampled, {}),
        ("to_class", changed, {"to_class": to_class}),
    ):
        edit = model.edit(label_map, seed=0, classes=[classes], samples=4, **options)
        mask = np.repeat(edit.mask[..., None], 3, axis=-1).astype(np.uint8) * 255
        cells = [("original", edit.original), ("mask", mask)]
        cells += [(f"edit {k}", image) for k, image in enumerate(edit.images)]
        save_png(OUT / f"{file}.png", contact_sheet([[(t, thumbnail(p)) for t, p in cells]]))
    return resampled, changed, to_class


def draw_teaser():
    """Puts `docs/teaser.png` together from rows of the pictures that are in `OUT`."""
    samples, edit = (np.asarray(Image.open(OUT / f"{n}.png")) for n in ("samples", "to_class"))
    row = len(samples) // 4
    # Two label maps of four, and the edit; the narrower picture gets white to its right.
    white = np.full((len(edit), samples.shape[1] - edit.shape[1], 3), 255, np.uint8)
    parts = [samples[:row], samples[2 * row : 3 * row], np.hstack([edit, white])]
    save_png(ROOT / "docs" / "teaser.png", np.vstack(parts))


def measure_diversity(model, label_maps, samples):
    """[(classes redrawn, distance)], and how many classes each of the label maps has."""
    most = min(len(np.unique(label_map)) for label_map in label_maps)
    result = []
    for count in range(1, most + 1):
        distances = []
        for label_map in label_maps:
            ids, areas = np.unique(label_map, return_counts=True)
            largest = ids[np.argsort(-areas)][:count].tolist()
            edit = model.edit(label_map, classes=largest, samples=samples, per_class=True)
            images = edit.images.astype(np.float32)
            distances += [np.abs(a - b).mean() for a, b in itertools.combinations(images, 2)]
        result.append((count, float(np.mean(distances))))
    return result, most


def measure_time(model, label_map):
    """Seconds for 50 pictures: in one run of the command, and in 50 (one of them is timed)."""
    with tempfile.TemporaryDirectory() as directory:
        labels = Path(directory) / "map.png"
        labels.write_bytes(encode_label_map(label_map))
        command = [
            sys.executable,
            "-m",
            "oasis_tf.synthesize",
            "--model",
            str(Path(model).resolve()),
        ]
        command += ["--labels", str(labels), "--out", directory, "--samples"]
        seconds = []
        for count in ("50", "1"):
            start = time.perf_counter()
            subprocess.run([*command, count], cwd=ROOT, check=True, capture_output=True)
            seconds.append(time.perf_counter() - start)
    return seconds[0], 50 * seconds[1]


if __name__ == "__main__":
    main()
