"""Fetches a published model into the Hub's cache on this machine."""

from pathlib import Path

from data_pipeline.errors import DataError
from oasis_tf.hub.checksums import CHECKSUMS, is_of_saved_model, wrong_files
from oasis_tf.hub.library import explain_hub_errors, open_library


def fetch(address):
    """Fetches the SavedModel of a repository, or finds it in the cache, and checks its checksums.

    Without a network, what has been fetched before is taken.

    Args:
        address: `HubAddress`.

    Returns:
        Path of a directory that holds the SavedModel as `oasis_tf.export` writes it, a numbered
        directory. Files for other engines are not fetched.

    Raises:
        DataError: `huggingface_hub` is not installed; no such repository or revision, or no model
            that `oasis_tf.publish` uploaded; the connection failed; checksums differ.
    """
    library = open_library()
    with explain_hub_errors(address):
        directory = library.snapshot_download(
            address.repository,
            revision=address.revision,
            allow_patterns=[CHECKSUMS, "[0-9]*/*"],
        )
    directory = Path(directory)
    if not (directory / CHECKSUMS).is_file():
        raise DataError(
            f"{address} must be a model that python -m oasis_tf.publish has uploaded. "
            f"Received: a repository without {CHECKSUMS}"
        )
    wrong = wrong_files(directory, is_of_saved_model)
    if wrong:
        for name in wrong:
            _forget(directory / name)
        told = ", ".join(f"{name} ({what})" for name, what in list(wrong.items())[:5])
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise DataError(
            f"{address} must hold what its {CHECKSUMS} says; what does not has been removed from "
            f"{directory}, to be fetched anew the next time. Received: {told}{more}"
        )
    return directory


def _forget(path):
    # A file in the cache is a link to its content.
    content = path.resolve()
    path.unlink(missing_ok=True)
    content.unlink(missing_ok=True)
