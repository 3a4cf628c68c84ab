"""How noise is spread over a picture."""

import enum


class Spread(enum.Enum):
    """What has a noise vector of its own."""

    PICTURE = "picture"
    CLASS = "class"
    SEGMENT = "segment"
