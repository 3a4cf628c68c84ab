"""How a model on the Hub is named: hf://USER/NAME, or hf://USER/NAME@REVISION."""

import re
from typing import NamedTuple

from data_pipeline.errors import DataError

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_REPOSITORY = re.compile(f"{_NAME}/{_NAME}")
_START = "hf://"


class HubAddress(NamedTuple):
    """A model on the Hub.

    Attributes:
        repository: "USER/NAME".
        revision: a branch, a tag or a commit; None is the newest.
    """

    repository: str
    revision: str | None = None

    def __str__(self):
        return f"{_START}{self.repository}{f'@{self.revision}' if self.revision else ''}"

    @property
    def name(self):
        """Of the model, without the user."""
        return self.repository.partition("/")[2]


def hub_address(text, argument):
    """Reads what a user wrote.

    Args:
        text: str, Path or `HubAddress`.
        argument: name of the argument, for the message.

    Returns:
        `HubAddress`, or None if it is no address of the Hub.

    Raises:
        DataError: it begins as one and goes on as none.

    >>> hub_address("hf://ada/lakes@v2", "--model")
    HubAddress(repository='ada/lakes', revision='v2')
    >>> hub_address("runs/lakes", "--model")
    """
    if isinstance(text, HubAddress):
        return text
    if not str(text).startswith(_START):
        return None
    repository, at, revision = str(text)[len(_START) :].partition("@")
    if not is_repository(repository) or bool(at) != bool(revision.strip()):
        raise DataError(
            f"{argument} must be hf://USER/NAME or hf://USER/NAME@REVISION. Received: {text}"
        )
    return HubAddress(repository, revision or None)


def is_repository(text):
    """Whether a str is USER/NAME."""
    return bool(_REPOSITORY.fullmatch(text))
