"""Draws what `experiments.claims` wrote: `python -m experiments.claims.plot FILE.json OUT.svg`.

A panel a score that some run has, a row a variant: a dot a seed, a line over their range. The grey
band is the range of the whole method; the dashed line is the photographs' score.
"""

import itertools
import json
import math
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

from experiments.claims.scores import SCORES, measured
from experiments.claims.variants import FULL, title

_PANELS = {
    "miou": "segmenter's mIoU, all classes",
    "miou_frequent": "frequent classes",
    "miou_common": "common classes",
    "miou_rare": "rare classes",
    "fid": "Frechet distance",
    "colour": "distance of colours",
    "diversity_global": "diversity, noise everywhere",
    "diversity_local": "diversity, noise in one class",
}
_COLOURS = {True: "#2471a3", False: "#c0392b"}


def draw(content, path):
    """Draws the dict that `experiments.claims` wrote into an SVG file."""
    plt.rcParams.update({"svg.hashsalt": "claims", "font.size": 9})
    names = list(dict.fromkeys(run["variant"] for run in content["runs"]))
    known = measured(content)
    shown = [name for name in _PANELS if name in known]
    columns = math.ceil(len(shown) / 2)
    figure, panels = plt.subplots(
        2, columns, figsize=(3 * columns, 5.2), sharey=True, layout="constrained", squeeze=False
    )
    for axes, name in itertools.zip_longest(panels.flat, shown):
        if name is None:
            axes.set_axis_off()
            continue
        _panel(axes, content, names, name)
        better = "higher" if SCORES[name].higher_is_better else "lower"
        what = "more diverse" if name.startswith("diversity") else "better"
        axes.set(title=_PANELS[name], xlabel=f"{better} is {what}")
    for axes in panels[:, 0]:
        axes.set_yticks(range(len(names)), [title(name) for name in names])
        axes.set_ylim(len(names) - 0.5, -0.5)
    # Without a date, so that the same numbers make the same file.
    figure.savefig(path, format="svg", metadata={"Date": None})
    plt.close(figure)


def _panel(axes, content, names, score):
    for row, name in enumerate(names):
        values = [
            run["scores"][score]
            for run in content["runs"]
            if run["variant"] == name and run["scores"][score] is not None
        ]
        if not values:
            continue
        if name == FULL:
            axes.axvspan(min(values), max(values), color="#000000", alpha=0.08, lw=0)
        colour = _COLOURS[name == FULL]
        axes.plot([min(values), max(values)], [row, row], color=colour, lw=1)
        axes.plot(values, [row] * len(values), "o", color=colour, markersize=4, alpha=0.8)
    if (bound := content["photographs"].get(score)) is not None:
        axes.axvline(bound, color="#7f8c8d", lw=1, ls="--")
    axes.set_xlim(left=0)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text()), sys.argv[2])
