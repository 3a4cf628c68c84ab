"""Makes RESULTS.md of all that was measured, and brings the targets into docs/benchmarks.md.

Run it with `python -m benchmarks.report`.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.results import RESULTS, caption, load
from benchmarks.rows import table
from data_pipeline.errors import DataError
from data_pipeline.files import write_atomically

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
TABLES = Path(__file__).parent / "RESULTS.md"
BEGIN, END = "<!-- benchmarks -->", "<!-- /benchmarks -->"
_HEADING = (
    "# Results\n\nMade from `results/*.json` by `python -m benchmarks.report`. "
    "How they are taken: [README.md](README.md)."
)


def write_report(page=PAGE, tables=TABLES, results=RESULTS):
    """Replaces what stands between the two markers of `page`, and all of `tables`.

    Args:
        page: a Markdown file with the lines `<!-- benchmarks -->` and `<!-- /benchmarks -->`;
            between them come the rows that have a target.
        tables: a Markdown file for all rows; need not be there.
        results: directory of the JSON files.

    Returns:
        int, the number of parts reported.

    Raises:
        DataError: the markers are missing, there are no results, or a file is none of ours.
        OSError: the page is not there or a file is not writable.
    """
    page, results = Path(page), Path(results)
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise DataError(f"{page} must hold {BEGIN} and, after it, {END}. Received: not both")
    paths = sorted(results.glob("*.json"))
    if not paths:
        raise DataError(
            f"{results} must hold results; python -m benchmarks makes them. Received: none"
        )
    parts = [load(path) for path in paths]
    everything = "\n\n".join(_section(part, part["rows"]) for part in parts)
    write_atomically(tables, f"{_HEADING}\n\n{everything}\n")
    targets = ((part, [row for row in part["rows"] if row["target"]]) for part in parts)
    sections = "\n\n".join(_section(part, rows) for part, rows in targets if rows)
    write_atomically(page, f"{before}{BEGIN}\n\n{sections}\n\n{END}{after}")
    return len(paths)


def _section(part, rows):
    lines = [f"**{part['title']}**", table(rows, markdown=True)]
    shares = next((r["distinct_patches"] for r in rows if "distinct_patches" in r), {})
    if shares:
        listed = ", ".join(f"{share:.1%} at {size}" for size, share in shares.items())
        lines.append(f"Distinct 5x5 patches of the recorded maps: {listed}.")
    lines.append(f"*{caption(part)}*")
    return "\n\n".join(lines)


def main(argv=None):
    """Runs the command line; returns the exit code, 0 or 2."""
    argparse.ArgumentParser(
        prog="python -m benchmarks.report",
        description=f"Rewrites benchmarks/RESULTS.md, and what stands between {BEGIN} and {END} "
        "in docs/benchmarks.md, from benchmarks/results.",
    ).parse_args(argv)
    try:
        count = write_report()
    except (DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{count} parts in {TABLES}, their targets in {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
