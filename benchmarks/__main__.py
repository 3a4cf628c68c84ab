"""Measures this implementation beside a plain one: `python -m benchmarks [PART]`."""

import argparse
import importlib
import os
import subprocess
import sys

from benchmarks.options import Options
from benchmarks.parts import PARTS
from benchmarks.results import RESULTS, caption, collect, save
from benchmarks.rows import table
from data_pipeline.errors import BuildFailed, DataError
from data_pipeline.paths import PathAction
from data_pipeline.records.manifest import Manifest

# Parts that measure two versions too: those with `against`.
_OF_VERSIONS = ("discriminator", "generator", "memory", "train_step")


def main(argv=None):
    """Runs the command line.

    Args:
        argv: list of str. Defaults to the arguments of the process.

    Returns:
        exit code: 0, 1 (a part failed), 2 (bad input), 130 (Ctrl-C).
    """
    argv = sys.argv[1:] if argv is None else argv
    arguments = _parser().parse_args(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    against = arguments.against
    options = Options(arguments.data_dir, arguments.repeats, arguments.quick, against)
    # Toy figures, and those of two versions, must not replace real ones unasked.
    out = arguments.out or (None if arguments.quick or against else RESULTS)
    try:
        if options.data_dir is not None and "train" not in Manifest.read(options.data_dir).splits:
            raise DataError(f"--data_dir must hold a train split. Received: {options.data_dir}")
        if against is not None and not (against / "oasis_tf" / "train.py").is_file():
            raise DataError(f"--against must be a checkout of this project. Received: {against}")
        if against is not None and arguments.part not in (None, *_OF_VERSIONS):
            raise DataError(
                f"--against must be given with {', '.join(_OF_VERSIONS)}, or none of these. "
                f"Received: {arguments.part}"
            )
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
        if arguments.part is None:
            return _run_all(PARTS if against is None else _OF_VERSIONS, argv)
        _run(arguments.part, options, out)
    except (DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (BuildFailed, RuntimeError) as error:
        print(f"error: {arguments.part} failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted: only finished parts are written", file=sys.stderr)
        return 130
    return 0


def _run_all(parts, argv):
    # A process a part: memory and settings of one are nothing to the next, nor is its failure.
    command = [sys.executable, "-m", "benchmarks"]
    failed = [part for part in parts if subprocess.call([*command, part, *argv]) != 0]
    if failed:
        print(f"error: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _run(part, options, out):
    """Runs one part, prints its table and writes its file."""
    import tensorflow as tf

    from benchmarks.machine import describe
    from data_pipeline.reading.reader import explain_read_error

    # Its warning of retracing is meant for one function; here are several networks.
    tf.get_logger().setLevel("ERROR")
    module = importlib.import_module(f"benchmarks.parts.{part}")
    machine = describe()
    try:
        rows = module.run(options) if options.against is None else module.against(options)
    except (tf.errors.DataLossError, tf.errors.NotFoundError) as error:
        raise explain_read_error(options.records, error) from error
    except tf.errors.OpError as error:
        raise RuntimeError(error.message.splitlines()[0]) from error
    result = collect(module.__doc__.splitlines()[0].rstrip("."), machine, options, rows)
    print(f"\n{result['title']}\n{caption(result)}\n\n{table(rows)}", flush=True)
    if out is not None:
        print(f"written to {save(out, part, result)}", file=sys.stderr)


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures this implementation beside a plain one, in turns within one run. "
        "Prints tables and writes JSON files; python -m benchmarks.report brings them into "
        "docs/benchmarks.md.",
    )
    add = parser.add_argument
    add(
        "part",
        nargs="?",
        choices=PARTS,
        help="what to measure; default: everything, each part in a process of its own",
    )
    add(
        "--data_dir",
        action=PathAction,
        metavar="DIR",
        help="records to measure on; default: the project's sample set at 256x256, drawn and "
        "built at the first run",
    )
    add(
        "--against",
        action=PathAction,
        metavar="DIR",
        help="a checkout of another version, measured in turns with this one in the place of "
        f"plain: {', '.join(_OF_VERSIONS)}; written only where --out is given",
    )
    add(
        "--repeats",
        type=_positive,
        default=5,
        metavar="N",
        help="how often each side is measured; the medians count (%(default)s)",
    )
    add(
        "--out",
        action=PathAction,
        metavar="DIR",
        help="directory of the JSON files, one a part; default: benchmarks/results, and none "
        "with --quick",
    )
    add("--quick", action="store_true", help="toy widths, to see that everything runs")
    return parser


def _positive(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a positive whole number. Received: {text}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
