"""Makes `docs/evaluation/curve.svg`: scores of the sample model from untrained to trained.

python docs/make_curve.py --data_dir data/sample_64 --segmenter runs/sample_judge --work DIR

Trains the model of `make train` in stages and evaluates it after each; about 10 minutes.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from data_pipeline.files import write_atomically  # noqa: E402

STAGES = (1, 50, 100, 200, 400)
OUT = ROOT / "docs" / "evaluation" / "curve.svg"
_WIDTH, _HEIGHT, _LEFT, _TOP = 300, 170, 44, 30


def main(argv=None):
    """Trains, evaluates and draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("data_dir", "segmenter", "work"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    arguments = parser.parse_args(argv)
    arguments.work.mkdir(parents=True, exist_ok=True)
    points = [(stage, _score(stage, arguments)) for stage in STAGES]
    curves = {
        "mIoU by the judge": [metrics["miou"]["value"] for _, metrics in points],
        "colour, chi-square": [metrics["colour"]["value"] for _, metrics in points],
        "texture, chi-square": [metrics["texture"]["value"] for _, metrics in points],
    }
    photographs = points[0][1]["miou"]["of_photographs"]["miou"]
    plots = [
        _plot(i * (_WIDTH + 20), title, values, photographs if i == 0 else None)
        for i, (title, values) in enumerate(curves.items())
    ]
    width, height = 3 * (_WIDTH + 20), _HEIGHT + 2 * _TOP + 10
    OUT.parent.mkdir(exist_ok=True)
    write_atomically(
        OUT,
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
        f"{''.join(plots)}</svg>\n",
    )
    for stage, metrics in points:
        scores = "  ".join(f"{name} {metric['value']:.4f}" for name, metric in metrics.items())
        print(f"step {stage:>4}  {scores}")
    return 0


def _score(stage, arguments):
    out = arguments.work / f"score_{stage:04}.json"
    if not out.exists():
        # Evaluated is what a user would have by then: the checkpoint that the judge likes best.
        _run(
            "oasis_tf.train --dataset lvis --toy",
            data_dir=arguments.data_dir,
            model_dir=arguments.work / "run",
            segmenter=arguments.segmenter,
            steps=stage,
        )
        _run(
            "oasis_tf.evaluate --metrics miou,colour,texture",
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


def _plot(left, title, values, limit):
    """One curve over the steps, evenly spaced; `limit` is a dashed line."""
    top = 1.1 * max([*values, limit or 0])
    x0, y0 = left + _LEFT, _TOP + _HEIGHT
    step = (_WIDTH - _LEFT - 10) / (len(STAGES) - 1)

    def y(value):
        return y0 - _HEIGHT * value / top

    points = [(x0 + i * step, y(value)) for i, value in enumerate(values)]
    lines = [
        f'<text x="{x0}" y="18" font-weight="bold">{title}</text>',
        f'<path d="M{x0},{_TOP} V{y0} H{x0 + _WIDTH - _LEFT}" fill="none" stroke="#888"/>',
        f'<text x="{x0 - 6}" y="{y(0)}" text-anchor="end">0</text>',
        f'<text x="{x0}" y="{y0 + 34}" fill="#555">training steps</text>',
        '<polyline fill="none" stroke="#e07a3f" stroke-width="2" points="'
        + " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        + '"/>',
    ]
    for (px, py), stage, value in zip(points, STAGES, values, strict=True):
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
