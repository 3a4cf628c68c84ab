"""Table and sentences of an experiment, as Markdown; into a page of the documentation.

    python -m experiments.claims.report FILE.json [--page docs/claims.md]

Prints them; with --page writes them between the two comments there that name the file, and the plot
into a directory named after the page.
"""

import argparse
import json
import sys

from data_pipeline.errors import OasisError
from data_pipeline.files import write_atomically
from data_pipeline.paths import PathAction
from experiments.claims.plot import draw
from experiments.claims.scores import GROUPS, SCORES, measured
from experiments.claims.statements import spread, statements
from experiments.claims.variants import title


class PageError(OasisError, ValueError):
    """The page has no place for the results."""


def report(content):
    """Markdown: what was trained, the table, and the sentences.

    Args:
        content: the dict that `experiments.claims` writes.
    """
    runs, settings, data = content["runs"], content["settings"], content["data"]
    names = list(dict.fromkeys(run["variant"] for run in runs))
    seeds = sorted({run["seed"] for run in runs})
    groups = ", ".join(f"{data['groups'][name]} {name}" for name in GROUPS)
    lines = [
        f"{len(runs)} runs of {settings['steps']:,} steps with `--toy` on {data['dataset']}, "
        f"{data['pictures']} training pictures of {'x'.join(map(str, data['image_size']))}, seeds "
        f"{', '.join(map(str, seeds))}; measured on {data['measured']} validation label maps "
        f"(classes: {groups}). Mean and range over the seeds; arrows point to better, or more "
        "diverse.",
        "",
    ]
    known = measured(content)
    for columns in (_FIRST, _SECOND):
        lines += _table(content, names, [name for name in columns if name in known])
        lines.append("")
    return "\n".join([*lines, *statements(content)]) + "\n"


_CAPTION = (
    "*A dot a seed, a line over their range; the grey band is the range of the whole method, the "
    "dashed line the photographs' score.*"
)
_FIRST = ("miou", "miou_frequent", "miou_common", "miou_rare", "fid", "kid", "colour", "texture")
_SECOND = tuple(name for name in SCORES if name not in _FIRST)


def _table(content, names, columns):
    heads = [f"{SCORES[c].title} {'↑' if SCORES[c].higher_is_better else '↓'}" for c in columns]
    lines = ["| | " + " | ".join(heads) + " |", "|---" * (len(columns) + 1) + "|"]
    bounds = content["photographs"]
    if any(name in bounds for name in columns):
        cells = [
            f"{bounds[c]:.{SCORES[c].digits}f}" if bounds.get(c) is not None else ""
            for c in columns
        ]
        lines.append(f"| the photographs | {' | '.join(cells)} |")
    for name in names:
        scores = [run["scores"] for run in content["runs"] if run["variant"] == name]
        cells = [spread([run[c] for run in scores], SCORES[c].digits) for c in columns]
        lines.append(f"| {title(name)} | {' | '.join(cells)} |")
    return lines


def into_page(text, name, page):
    """The page with `text` between `<!-- NAME -->` and `<!-- end of NAME -->`.

    Args:
        text: Markdown.
        name: of the results' file.
        page: Markdown that has both comments, once each.

    Raises:
        PageError: it has not.
    """
    marks = f"<!-- {name} -->", f"<!-- end of {name} -->"
    if any(page.count(mark) != 1 for mark in marks) or page.index(marks[0]) > page.index(marks[1]):
        raise PageError(f"the page must have {marks[0]} and {marks[1]}, in this order, once each")
    before, rest = page.split(marks[0])
    return f"{before}{marks[0]}\n\n{text}\n{marks[1]}{rest.split(marks[1])[1]}"


def main(argv=None):
    """Prints the report or writes it into a page; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.claims.report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", action=PathAction, help="of experiments.claims")
    parser.add_argument("--page", action=PathAction, help="Markdown with a place for it")
    arguments = parser.parse_args(argv)
    try:
        content = json.loads(arguments.file.read_text())
        text = report(content)
        if arguments.page is None:
            print(text, end="")
        else:
            name, page = arguments.file.name, arguments.page
            plot = page.with_suffix("") / f"{arguments.file.stem}.svg"
            text = f"![scores of all runs]({page.stem}/{plot.name})\n\n{_CAPTION}\n\n{text}"
            written = into_page(text, name, page.read_text())
            plot.parent.mkdir(exist_ok=True)
            draw(content, plot)
            write_atomically(page, written)
    except OasisError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
