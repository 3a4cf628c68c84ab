"""Where models are: which paths TensorFlow cannot read them from, and the newest version."""

from data_pipeline.errors import DataError

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
