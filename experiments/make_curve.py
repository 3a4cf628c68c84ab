"""Draws scores of a toy model from untrained to trained.

python -m experiments.make_curve --dataset sample --data_dir data/sample_64 \\
    --segmenter runs/sample_segmenter --work DIR --out docs/evaluation/curve.svg

Trains in stages and evaluates after each; 840 steps take about 10 minutes on two CPU cores. Run
again, it goes on where it stopped. The segmenter is one of `python -m oasis_tf.train_segmenter`.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from data_pipeline.files import write_atomically  # noqa: E402

_WIDTH, _HEIGHT, _LEFT, _TOP = 300, 170, 44, 30
_INSET = 22  # of the curve, so that its first number is not on the axis
_COLUMNS = 3
# The arrow says in which direction is better.
_TITLES = {
    "miou": "mIoU by the segmenter \u2191",
    "kid_by_segmenter": "kernel distance, segmenter's features \u2193",
    "fid_by_segmenter": "Frechet distance, segmenter's features \u2193",
    "colour": "colour, chi-square \u2193",
    "texture": "texture, chi-square \u2193",
}


def main(argv=None):
    """Trains, evaluates and draws."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dataset", required=True, help="preset of oasis_tf.train")
    for name in ("data_dir", "segmenter", "work", "out"):
        parser.add_argument(f"--{name}", required=True, type=lambda text: Path(text).resolve())
    parser.add_argument("--stages", type=int, nargs="+", default=[1, 100, 210, 420, 840])
    arguments = parser.parse_args(argv)
    arguments.work.mkdir(parents=True, exist_ok=True)
    stages = sorted(arguments.stages)
    points = [_score(stage, arguments) for stage in stages]
    plots = []
    for i, (name, title) in enumerate(_TITLES.items()):
        limit = points[0]["miou"]["of_photographs"]["miou"] if name == "miou" else None
        x, y = i % _COLUMNS * (_WIDTH + 20), i // _COLUMNS * (_HEIGHT + 2 * _TOP + 10)
        plot = _plot(title, stages, [metrics[name]["value"] for metrics in points], limit)
        plots.append(f'<g transform="translate({x},{y})">{plot}</g>')
    rows = -(-len(plots) // _COLUMNS)
    width, height = _COLUMNS * (_WIDTH + 20), rows * (_HEIGHT + 2 * _TOP + 10)
    write_atomically(
        arguments.out,
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
        f"{''.join(plots)}</svg>\n",
    )
    for stage, metrics in zip(stages, points, strict=True):
        scores = "  ".join(f"{name} {metrics[name]['value']:.4f}" for name in _TITLES)
        print(f"step {stage:>4}  {scores}")
    return 0


def _score(stage, arguments):
    out = arguments.work / f"score_{stage:06}.json"
    if not out.exists():
        # Evaluated is what a user would have by then: the checkpoint that the segmenter likes best.
        _run(
            "oasis_tf.train --toy",
            dataset=arguments.dataset,
            data_dir=arguments.data_dir,
            model_dir=arguments.work / "run",
            segmenter=arguments.segmenter,
            steps=stage,
        )
        _run(
            "oasis_tf.evaluate --metrics miou,kid,fid,colour,texture --features segmenter",
            model=arguments.work / "run",
            data_dir=arguments.data_dir,
            segmenter=arguments.segmenter,
            out=out,
            cache_dir=arguments.work / "cache",
        )
    return json.loads(out.read_text())["metrics"]


def _run(command, **flags):
    words = [word for name, value in flags.items() for word in (f"--{name}", str(value))]
    subprocess.run([sys.executable, "-m", *command.split(), *words], check=True, cwd=ROOT)


def _plot(title, stages, values, limit):
    """One curve over the steps, evenly spaced; `limit` is a dashed line."""
    top = 1.1 * max([*values, limit or 0])
    x0, y0 = _LEFT, _TOP + _HEIGHT
    step = (_WIDTH - _LEFT - 2 * _INSET) / max(1, len(stages) - 1)

    def y(value):
        # A kernel distance may be a little below 0.
        return y0 - _HEIGHT * max(0, value) / top

    points = [(x0 + _INSET + i * step, y(value)) for i, value in enumerate(values)]
    lines = [
        f'<text x="{x0}" y="18" font-weight="bold">{title}</text>',
        f'<path d="M{x0},{_TOP} V{y0} H{x0 + _WIDTH - _LEFT}" fill="none" stroke="#888"/>',
        f'<text x="{x0 - 6}" y="{y(0)}" text-anchor="end">0</text>',
        f'<text x="{x0}" y="{y0 + 34}" fill="#555">training steps</text>',
        '<polyline fill="none" stroke="#e07a3f" stroke-width="2" points="'
        + " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        + '"/>',
    ]
    for (px, py), stage, value in zip(points, stages, values, strict=True):
        lines.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="#e07a3f"/>')
        lines.append(f'<text x="{px:.1f}" y="{py - 8:.1f}" text-anchor="middle">{value:.2g}</text>')
        lines.append(f'<text x="{px:.1f}" y="{y0 + 16}" text-anchor="middle">{stage}</text>')
    if limit is not None:
        at = f'x1="{x0}" x2="{x0 + _WIDTH - _LEFT}" y1="{y(limit):.1f}" y2="{y(limit):.1f}"'
        lines.append(f'<line {at} stroke="#4b6584" stroke-dasharray="4 3"/>')
        lines.append(
            f'<text x="{x0 + 8}" y="{y(limit) - 5:.1f}" fill="#4b6584">photographs '
            f"{limit:.2f}</text>"
        )
    return "".join(lines)


if __name__ == "__main__":
    sys.exit(main())
