"""Uploads a model to the Hub: `python -m oasis_tf.publish saved_models/NAME USER/NAME`."""

import argparse
import sys
from pathlib import Path

from data_pipeline.errors import DataError, listing
from data_pipeline.files import read_text
from data_pipeline.paths import PathAction, local_path
from oasis_tf.cli import run
from oasis_tf.console import say
from oasis_tf.hub.address import HubAddress, is_repository
from oasis_tf.hub.upload import ENGINE_FILES
from oasis_tf.model_path import find_saved_model
from oasis_tf.tf_setup import quiet_log


def parse_arguments(argv=None):
    """Parses the command line into an `argparse.Namespace`; exits with code 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m oasis_tf.publish",
        description="Uploads an exported SavedModel with its card and checksums to the Hugging "
        "Face Hub, in one commit, in place of a model that was published there before. "
        'oasis_tf.load("hf://USER/NAME") and --model hf://USER/NAME fetch it.',
    )
    parser.add_argument(
        "model",
        action=PathAction,
        metavar="MODEL_DIR",
        help="an exported SavedModel, saved_models/NAME, of which the newest version is taken",
    )
    parser.add_argument("repository", metavar="USER/NAME", help="made if it is not there")
    parser.add_argument(
        "--files",
        nargs="+",
        default=[],
        metavar="FILE",
        help="the same model for other engines, NAME.onnx and NAME.tflite, each with its card "
        "beside it, as python -m oasis_tf.export writes them",
    )
    parser.add_argument(
        "--licence",
        help="as the Hub names it, apache-2.0 for example. Defaults to apache-2.0 for a model of "
        "the sample data set, and to other for all others: their data sets' terms decide",
    )
    parser.add_argument("--private", action="store_true", help="if the repository is made")
    return parser.parse_args(argv)


def main(argv=None):
    """Runs the command; returns the exit code."""
    return run(_publish, parse_arguments(argv))


def _publish(arguments):
    from oasis_tf.hub.checksums import CHECKSUMS, checksums_of
    from oasis_tf.hub.library import open_library
    from oasis_tf.hub.upload import upload

    version, engine_files = _check(arguments)
    open_library()
    content = _open(version)
    address = HubAddress(arguments.repository)
    number = version.name if version.name.isdecimal() else "1"
    files = {
        f"{number}/{path.relative_to(version).as_posix()}": path
        for path in sorted(version.rglob("*"))
        if path.is_file()
    }
    for path in engine_files:
        files |= {path.name: path, f"{path.name}.md": _card_of(path)}
    size = sum(path.stat().st_size for path in files.values())
    say(f"uploading {len(files)} files, {size / 1e6:.1f} MB")
    readme = _readme(address, content, version, number, engine_files, arguments.licence)
    sums = checksums_of(files).encode()
    commit = upload(
        {**files, "README.md": readme.encode(), CHECKSUMS: sums},
        address,
        private=arguments.private,
    )
    print(f"published    {address}")
    print(f"this commit  {address._replace(revision=commit)}")
    return 0


def _check(arguments):
    """Tells at once of all that is wrong; returns (Path of the version, engine files)."""
    wrong = []
    version = find_saved_model(arguments.model)
    if version is None:
        wrong.append(
            "MODEL_DIR must be a SavedModel that python -m oasis_tf.export has written. "
            f"Received: {arguments.model}"
        )
    elif not (version / "MODEL_CARD.md").is_file():
        wrong.append(f"a model must have its card. Received: no {version / 'MODEL_CARD.md'}")
    if not is_repository(arguments.repository):
        wrong.append(f"the repository must be USER/NAME. Received: {arguments.repository}")
    if arguments.licence is not None and not arguments.licence.strip():
        wrong.append("--licence must be the name of one. Received: nothing")
    files = [local_path(text, "--files") for text in arguments.files]
    for path in files:
        if path.suffix not in ENGINE_FILES:
            wrong.append(f"--files must be {' or '.join(ENGINE_FILES)} files. Received: {path}")
        elif not path.is_file() or not _card_of(path).is_file():
            wrong.append(f"--files must be there, each with its card FILE.md. Received: {path}")
        elif not path.stat().st_size:
            wrong.append(f"--files must have content. Received: {path}, which is empty")
        # Of another name SHA256SUMS, a line each, or the card's table would tell nonsense.
        if not path.name.isprintable() or set(path.name) & set("`|\\"):
            wrong.append(
                f"--files must have names without ` | \\ and line ends. Received: {path!r}"
            )
    if len({path.name for path in files}) < len(files):
        wrong.append(f"--files must have different names. Received:\n{listing(files)}")
    if wrong:
        raise DataError("\n".join(wrong))
    return version, files


def _open(version):
    """What the model says of itself; a damaged one is not uploaded."""
    quiet_log()
    from oasis_tf.sampling.saved_model_backend import SavedModelBackend

    return SavedModelBackend(version).content


def _readme(address, content, version, number, engine_files, licence):
    from oasis_tf.hub.card import hub_card

    if licence is None:
        licence = "apache-2.0" if content["dataset"] == "sample" else "other"
    file = version / "MODEL_CARD.md"
    try:
        card = read_text(file)
    except UnicodeError as error:
        raise DataError(f"a card must be text in UTF-8. Received: {file} ({error})") from None
    return hub_card(address, content, card, number, engine_files, licence)


def _card_of(path):
    return Path(f"{path}.md")


if __name__ == "__main__":
    sys.exit(main())
