"""Rows of the tables: a figure, the sides it was taken from, a target and whether it was met."""

from statistics import median

__all__ = ["FASTER", "SLOWER", "ratio", "row", "table"]

# Units: of plain over ours, and of ours over something.
FASTER, SLOWER = "x faster", "x the time"
COLUMNS = ("what", "sides", "figure", "target", "met", "floor")


def row(what, figure, unit, sides, *, at_least=None, at_most=None, floor=None, **details):
    """A row, as it stands in the JSON files.

    Args:
        what: what was measured, for the first column.
        figure: float, the result.
        unit: of `figure`.
        sides: dict from names to (value, unit) pairs, what the figure was computed from.
        at_least: the target, if `figure` should be large.
        at_most: the target, if `figure` should be small.
        floor: from `benchmarks.floor.floor`, for our side.
        details: more JSON-able values to keep.

    Returns:
        dict of JSON-able values.

    >>> row("generator", 2.5, FASTER, {}, at_least=2.6)["met"]
    False
    """
    target = met = None
    if at_least is not None:
        target, met = f">= {at_least:g}", figure >= at_least
    if at_most is not None:
        target, met = f"<= {at_most:g}", figure <= at_most
    return {
        "what": what,
        "figure": float(figure),
        "unit": unit,
        "sides": {name: list(side) for name, side in sides.items()},
        "target": target,
        "met": None if met is None else bool(met),
        "floor": floor,
        **details,
    }


def ratio(what, seconds, sides, unit, **options):
    """The row of a comparison of two sides of `benchmarks.measure.interleave`.

    Args:
        what: for the first column.
        seconds: dict from sides to lists of seconds.
        sides: dict of two, from names for the table to keys of `seconds`. The figure is the
            median of the first over that of the second.
        unit: of the figure.
        options: passed on to `row`.

    Returns:
        dict of JSON-able values; `samples` holds all seconds.
    """
    medians = {name: (median(seconds[key]), "s") for name, key in sides.items()}
    (first, _), (second, _) = medians.values()
    samples = {name: seconds[key] for name, key in sides.items()}
    return row(what, first / second, unit, medians, samples=samples, **options)


def table(rows, *, markdown=False):
    """Lays rows out.

    Args:
        rows: list of dicts from `row`.
        markdown: a Markdown table, else columns aligned with spaces.

    Returns:
        str of several lines.
    """
    lines = [list(COLUMNS), *(_cells(entry) for entry in rows)]
    if markdown:
        lines.insert(1, ["---"] * len(COLUMNS))
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    padded = ([f"{cell:<{w}}" for cell, w in zip(line, widths, strict=True)] for line in lines)
    return "\n".join("  ".join(line).rstrip() for line in padded)


def _cells(entry):
    sides = ", ".join(
        f"{name} {_number(value)} {unit}" for name, (value, unit) in entry["sides"].items()
    )
    met = {True: "yes", False: "no", None: ""}[entry["met"]]
    floor = f"{_number(entry['floor']['seconds'])} s" if entry["floor"] else ""
    figure = f"{_number(entry['figure'])} {entry['unit']}".rstrip()
    return [entry["what"], sides, figure, entry["target"] or "", met, floor]


def _number(value):
    """Three significant digits, without an exponent where a reader can do without."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
