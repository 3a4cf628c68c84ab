"""`huggingface_hub`, which is an extra, and what it raises as errors of ours."""

import contextlib

from data_pipeline.errors import DataError, first_line


def open_library():
    """Imports huggingface_hub.

    Raises:
        DataError: it is not installed.
    """
    try:
        import huggingface_hub
    except ModuleNotFoundError as error:
        raise DataError(
            'models on the Hub need the extra hub: pip install -e ".[hub]". '
            f"Received: {error.name} not installed"
        ) from None
    return huggingface_hub


@contextlib.contextmanager
def explain_hub_errors(address):
    """Turns what the library raises inside into DataErrors of one line.

    Args:
        address: `HubAddress` that is asked for.
    """
    from huggingface_hub import errors

    try:
        yield
    except DataError:
        raise
    except errors.RevisionNotFoundError:
        raise DataError(
            f"{address} must be a branch, a tag or a commit of {address.repository}. "
            "Received: no such revision"
        ) from None
    except errors.RepositoryNotFoundError:
        raise DataError(
            f"{address} must be a repository that is there, and open to the token in use if it is "
            "private. Received: no such repository"
        ) from None
    except errors.HFValidationError as error:
        raise DataError(
            f"{address} must have a name that the Hub takes. Received: {first_line(error)}"
        ) from None
    # The classes of its HTTP client are others from version to version.
    except Exception as error:
        line = next(iter(str(error).splitlines()), "")
        raise DataError(
            f"{address} could not be reached, or not to its end. Received: "
            f"{type(error).__name__}: {line}"
        ) from error
