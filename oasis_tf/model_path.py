"""Which paths TensorFlow cannot read models from."""

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
