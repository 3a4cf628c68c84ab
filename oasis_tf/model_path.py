"""Where models are: paths that TensorFlow can read, the newest version, addresses of the Hub."""

from data_pipeline.errors import DataError
from data_pipeline.paths import PathAction, local_path
from oasis_tf.hub.address import hub_address

# Restoring looks a checkpoint up as a file pattern, in which these do not stand for themselves.
# ("*" and "?" do match themselves; records are read by name.)
_PATTERN = "[\\"


def check_model_path(path, argument):
    """Refuses a path where TensorFlow would write a model and then not find it again.

    Args:
        path: str or Path.
        argument: what the message calls it.

    Raises:
        DataError: the path has a character that means something in TensorFlow's file patterns.
    """
    found = [character for character in _PATTERN if character in str(path)]
    if found:
        raise DataError(
            f"{argument} must be a path without {' or '.join(_PATTERN)}, for TensorFlow takes the "
            f"paths of models for patterns and would not find it again. Received: {path}"
        )


def find_saved_model(path):
    """The SavedModel that a path means: its directory, or the highest number around it.

    Args:
        path: Path.

    Returns:
        Path, or None if there is none.
    """
    if (path / "saved_model.pb").is_file():
        return path
    versions = [p.parent for p in path.glob("*/saved_model.pb") if p.parent.name.isdecimal()]
    return max(versions, key=lambda version: int(version.name), default=None)


class ModelPathAction(PathAction):
    """Of arguments that are trained models: a Path, or a `HubAddress`, which `local_model` takes.

    Nothing is fetched yet. What is neither ends the command with one line and exit code 2.
    """

    def __call__(self, parser, namespace, values, option_string=None):
        """Stores it; called by argparse."""
        try:
            address = hub_address(values, option_string or self.metavar)
        except DataError as error:
            parser.exit(2, f"error: {error}\n")
        if address is None:
            super().__call__(parser, namespace, values, option_string)
        else:
            setattr(namespace, self.dest, address)


def local_model(path, argument="path"):
    """A trained model's path on this machine; one on the Hub is fetched.

    Args:
        path: str, Path or `HubAddress`.
        argument: what the message calls it.

    Returns:
        Path.

    Raises:
        DataError: neither a path nor an address of the Hub, or a model that cannot be fetched.
    """
    address = hub_address(path, argument)
    if address is None:
        return local_path(path, argument)
    from oasis_tf.hub.fetch import fetch

    return fetch(address)
