"""What entered the optimisers in the first steps of several experiments, in one table.

    python -m experiments.start.first_steps ade20k=FILE.json lvis=FILE.json --out FILE.json

Each file is one that `python -m experiments.start` has written. Prints a Markdown table: of what
entered an optimiser, the largest norm over the median, of all seeds.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

from data_pipeline.files import write_atomically
from data_pipeline.paths import PathAction
from oasis_tf.training.step import NETWORKS


def main(argv=None):
    """Writes the file and prints the table; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.start.first_steps",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", metavar="NAME=FILE", help="name of the data, its runs")
    parser.add_argument("--out", required=True, action=PathAction, help="the JSON file")
    arguments = parser.parse_args(argv)
    rows = []
    for name, path in (text.split("=", 1) for text in arguments.files):
        content = json.loads(Path(path).read_text())
        rows += [{"data": name, **content["settings"], **_row(run)} for run in content["runs"]]
    write_atomically(arguments.out, json.dumps(rows, indent=1) + "\n")
    print("| data | precision | largest norm of D | entered G, over its median | entered D |")
    print("|---|---|---|---|---|")
    for key in dict.fromkeys((row["data"], row["precision"]) for row in rows):
        group = [row for row in rows if (row["data"], row["precision"]) == key]
        norms = ", ".join(f"{row['largest_norm']['discriminator']:.2g}" for row in group)
        entered = [max(row["entered_over_median"][n] for row in group) for n in NETWORKS]
        print(f"| {key[0]} | {key[1]} | {norms} | {entered[0]:.1f} | {entered[1]:.1f} |")
    return 0


def _row(run):
    steps = run["first_steps"]
    return {
        "start": run["start"],
        "seed": run["seed"],
        "largest_norm": {n: max(steps[f"gradient_norm/{n}"]) for n in NETWORKS},
        "entered_over_median": {
            n: max(steps[f"entered/{n}"]) / statistics.median(steps[f"entered/{n}"])
            for n in NETWORKS
        },
    }


if __name__ == "__main__":
    sys.exit(main())
