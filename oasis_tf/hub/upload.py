"""Uploads a model's files to the Hub, in one commit."""

from data_pipeline.errors import DataError
from oasis_tf.hub.checksums import CHECKSUMS, is_of_saved_model
from oasis_tf.hub.library import explain_hub_errors, open_library

ENGINE_FILES = (".onnx", ".tflite")
_CARDS = tuple(f"{suffix}.md" for suffix in ENGINE_FILES)
# What a repository may hold before anything was published.
_ANYBODYS = {".gitattributes", "README.md"}


def upload(files, address, *, private=False):
    """Makes the repository if it is not there, and its files those of a model.

    Whatever goes wrong, the repository holds the model before or the new one.

    Args:
        files: dict from names in the repository to Paths or bytes.
        address: `HubAddress`, whose revision is not looked at.
        private: of a new repository.

    Returns:
        str, the commit.

    Raises:
        DataError: `huggingface_hub` is not installed; there is no token, or it may not write; the
            repository holds something else; the connection failed.
    """
    library = open_library()
    if library.get_token() is None:
        raise DataError(
            "publishing needs a token that may write: set HF_TOKEN, or run hf auth login. "
            "Received: none"
        )
    api = library.HfApi()
    with explain_hub_errors(address):
        api.create_repo(address.repository, private=private, exist_ok=True)
        info = api.model_info(address.repository)
        there = {sibling.rfilename for sibling in info.siblings}
        _check(there, info.private, private, address)
        add = [
            library.CommitOperationAdd(path_in_repo=name, path_or_fileobj=content)
            for name, content in files.items()
        ]
        delete = [
            library.CommitOperationDelete(path_in_repo=name)
            for name in sorted(there - files.keys())
            if _is_of_a_model(name)
        ]
        commit = api.create_commit(
            address.repository,
            [*add, *delete],
            commit_message="A model with its card and checksums",
            parent_commit=info.sha,
        )
    return commit.oid


def _check(there, is_private, private, address):
    if private and not is_private:
        raise DataError(
            f"--private is for a new repository. Received: {address}, which is there and public"
        )
    others = sorted(there - _ANYBODYS)
    if others and CHECKSUMS not in there:
        raise DataError(
            f"{address} must be a new repository, or one that python -m oasis_tf.publish has "
            f"written. Received: one with {', '.join(others[:3])}"
        )


def _is_of_a_model(name):
    of_engine = "/" not in name and name.endswith(ENGINE_FILES + _CARDS)
    return of_engine or is_of_saved_model(name)
