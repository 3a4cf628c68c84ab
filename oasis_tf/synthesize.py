"""Draws pictures: `python -m oasis_tf.synthesize --model PATH --labels PATH --out DIR`."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from data_pipeline.datasets.walk import walk
from data_pipeline.errors import DataError, listing
from oasis_tf.cli import add_model_arguments, open_model, run, sampling_options
from oasis_tf.outputs import check_files
from oasis_tf.own_pictures import without_own_pictures
from oasis_tf.sampling.seeds import sample_seeds

_SUFFIXES = (".png", ".tif", ".tiff")
_COLUMNS = 8
_ROWS = 64  # of a contact sheet; more go on to the next one


def parse_arguments(argv=None):
    """Parses the command line; exits with code 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m oasis_tf.synthesize",
        description="Draws pictures from label maps. The same model, label map and seed give the "
        "same file, alone or among others.",
    )
    add_model_arguments(
        parser,
        "a label map, or a directory of them, at any depth: PNG or TIFF files with ids as in the "
        "data set the model has learnt from, with its palette, or with colours",
    )
    parser.add_argument(
        "--samples", type=int, default=1, metavar="K", help="pictures of each; default: 1"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of the first sample, the next has the next; default: 0"
    )
    return parser.parse_args(argv)


def main(argv=None):
    """Runs the command; returns the exit code."""
    return run(_synthesize, parse_arguments(argv))


def _synthesize(arguments):
    seeds = sample_seeds(arguments.seed, arguments.samples, "--seed")
    files, left_out = _label_files(arguments.labels, arguments.out)
    synthesizer, palette = open_model(arguments)
    # Late, for these import TensorFlow.
    from tqdm import tqdm

    from data_pipeline.labels.label_files import read_label_map
    from oasis_tf.images import save_png

    sheets = _Sheets(arguments.out)
    bad, written = [], 0
    with tqdm(total=len(files) * len(seeds), unit="picture", file=sys.stderr) as bar:
        for file in files:
            name = files[file]
            paths = [
                arguments.out / name.with_name(f"{name.stem}_sample{k:03d}_seed{seed}.png")
                for k, seed in enumerate(seeds)
            ]
            try:
                (arguments.out / name).parent.mkdir(parents=True, exist_ok=True)
                check_files(*paths)
                label_map = read_label_map(file, synthesizer.legend, palette)
                pictures = synthesizer.generate(label_map, seeds, **sampling_options(arguments))
                sheets.begin(str(name), synthesizer.palette[label_map])
                for path, seed, picture in zip(paths, seeds, pictures, strict=True):
                    save_png(path, picture)
                    written += 1
                    sheets.add(f"seed {seed}", picture)
                    bar.update()
            except (DataError, OSError) as error:
                if len(files) == 1:
                    raise
                bad.append(str(error) if str(file) in str(error) else f"{file}: {error}")
    print(f"{'pictures':<14} {written} in {arguments.out}")
    if left_out:
        print(f"{'left out':<14} {left_out} pictures of earlier runs in --labels")
    for path in sheets.close():
        print(f"{'contact sheet':<14} {path}")
    if bad:
        print(
            f"error: {len(bad)} of {len(files)} label maps could not be drawn:\n{listing(bad, 50)}",
            file=sys.stderr,
        )
    return 2 if bad else 0


def _label_files(path, out):
    """{file: its path inside of --labels}, which is where its pictures go in --out.

    And how many pictures of earlier runs were left out.
    """
    if path.is_file():
        return {path: Path(path.name)}, 0
    if not path.is_dir():
        raise DataError(f"--labels must be a file or a directory. Received: {path}, which is not")
    # What an earlier call has drawn below --labels is no label map.
    below = out.resolve() != path.resolve()
    found = [
        file for file in walk(path, [out] if below else []) if file.suffix.lower() in _SUFFIXES
    ]
    files = {file: file.relative_to(path) for file in without_own_pictures(found, out)}
    if not files:
        raise DataError(f"--labels must hold PNG or TIFF files. Received: {path} with none")
    same = Counter(name.with_suffix("") for name in files.values())
    twice = [str(file) for file, name in files.items() if same[name.with_suffix("")] > 1]
    if twice:
        raise DataError(
            f"--labels must not hold two files of one name. Received:\n{listing(twice)}"
        )
    return files, len(found) - len(files)


class _Sheets:
    """Collects thumbnails and writes a contact sheet whenever one is full."""

    def __init__(self, directory):
        self._directory = directory
        self._rows = []
        self._paths = []

    def begin(self, name, colours):
        """Starts the row of a label map with its colours, uint8 (H, W, 3)."""
        if len(self._rows) >= _ROWS:
            self._write()
        self._rows.append([])
        self.add(name, colours)

    def add(self, caption, picture):
        from oasis_tf.images import thumbnail

        if len(self._rows[-1]) == _COLUMNS:
            self._rows.append([])
        self._rows[-1].append((caption, thumbnail(picture)))

    def close(self):
        """Writes what is left; returns the paths of all sheets."""
        if self._rows:
            self._write()
        return self._paths

    def _write(self):
        from oasis_tf.images import contact_sheet, save_png

        number = f"_{len(self._paths) + 1}" if self._paths else ""
        path = self._directory / f"contact_sheet{number}.png"
        save_png(path, contact_sheet(self._rows))
        self._paths.append(path)
        self._rows = []


if __name__ == "__main__":
    sys.exit(main())
