"""The JSON files, one a part, from which the tables of docs/benchmarks.md are made."""

import dataclasses
import json
from pathlib import Path

from data_pipeline.errors import DataError
from data_pipeline.files import write_atomically

__all__ = ["RESULTS", "caption", "collect", "load", "save"]

RESULTS = Path(__file__).parent / "results"


def collect(title, machine, options, rows):
    """The content of a file: a dict of JSON-able values.

    Args:
        title: of the part.
        machine: from `benchmarks.machine.describe`.
        options: `benchmarks.options.Options`.
        rows: list of dicts from `benchmarks.rows`.
    """
    settings = dataclasses.asdict(options)
    # Where records lie on somebody's disk does not belong into a table.
    settings["data_dir"] = "sample set" if options.data_dir is None else options.data_dir.name
    del settings["against"]  # the rows name its commit
    return {"title": title, **machine, "settings": settings, "rows": rows}


def save(directory, part, result):
    """Writes what `collect` returned to `directory/<part>.json`, atomically; returns the path.

    Raises:
        OSError: the directory is not writable.
    """
    path = Path(directory) / f"{part}.json"
    write_atomically(path, json.dumps(result, indent=1) + "\n")
    return path


def load(path):
    """Reads a file that `save` wrote.

    Raises:
        DataError: it is not such a file.
    """
    try:
        result = json.loads(Path(path).read_text(encoding="utf-8"))
        caption(result)
        result["title"], result["rows"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} must be a file that python -m benchmarks wrote. Received: {error!r}"
        ) from None
    return result


def caption(result):
    """One line on where, when and with what a part was measured: str."""
    device, versions, settings = result["device"], result["versions"], result["settings"]
    features = ", ".join(
        [f"{device['cores']} cores", *device["flags"], f"{device['memory_gb']:.0f} GB"]
    )
    changed = " with changes" if result["uncommitted_changes"] else ""
    parts = [
        f"{device['cpu']} ({features})",
        ", ".join(device["gpus"]) or "no GPU",
        f"TensorFlow {versions['tensorflow']}, Keras {versions['keras']}, "
        f"Python {versions['python']}",
        f"commit {(result['commit'] or 'unknown')[:7]}{changed}",
        result["date"][:10],
        f"records: {settings['data_dir']}",
        f"medians of {settings['repeats']}",
    ]
    if settings["quick"]:
        parts.append("TOY WIDTHS, these figures mean nothing")
    return "; ".join(parts)
