"""Draws what `experiments.start` has written: `python -m experiments.start.plot FILE.json OUT.svg`.

Upper row: the norm of the discriminator's gradient in the first steps, and its losses; lower row:
the segmenter's scores of the averaged generator. A line a seed.
"""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

_COLOURS = {"released": "#c0392b", "guarded": "#2471a3"}
_PANELS = (
    ("norm of D's gradient", "gradient_norm/discriminator"),
    ("norm that enters D's Adam", "entered/discriminator"),
    ("D's loss on generated pictures", "loss/discriminator_fake"),
)
_SCORES = (
    ("segmenter's mIoU (higher is better)", "metrics/miou"),
    ("Frechet distance of the segmenter's features (lower is better)", "metrics/fid_by_segmenter"),
)


def draw(content, path):
    """Draws the dict that `experiments.start` wrote into an SVG file."""
    plt.rcParams.update({"svg.hashsalt": "start", "font.size": 9})
    figure = plt.figure(figsize=(10, 6.2), layout="constrained")
    upper, lower = figure.subfigures(2, 1)
    for axes, (title, name) in zip(upper.subplots(1, 3), _PANELS, strict=True):
        for run in content["runs"]:
            values = run["first_steps"][name]
            points = dict(enumerate(values, start=1))
            if name.startswith("loss/"):
                points |= {int(step): row[name] for step, row in run["losses"].items()}
            _line(axes, run, points)
        axes.set(title=title, xlabel="training step")
        axes.set_xscale("log")
        if not name.startswith("loss/"):
            axes.set_yscale("log")
        else:
            axes.set_ylim(0, 3)
    for axes, (title, name) in zip(lower.subplots(1, 2), _SCORES, strict=True):
        for run in content["runs"]:
            points = {int(s): row[name] for s, row in run["scores"].items() if name in row}
            _line(axes, run, points, marker="o", markersize=3)
        axes.set(title=title, xlabel="training step", ylim=(0, None))
    handles = [plt.Line2D([], [], color=colour) for colour in _COLOURS.values()]
    figure.legend(handles, [f"--start {n}" for n in _COLOURS], loc="outside lower center", ncols=2)
    # Without a date, so that the same numbers make the same file.
    figure.savefig(path, format="svg", metadata={"Date": None})
    plt.close(figure)


def _line(axes, run, points, **style):
    axes.plot(
        list(points), list(points.values()), color=_COLOURS[run["start"]], lw=1, alpha=0.8, **style
    )


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text()), sys.argv[2])
