"""What a metric is: what it needs, what it measures of a chunk of pictures, and its result."""

import abc
from dataclasses import dataclass
from typing import NamedTuple

from data_pipeline.errors import OasisError


class NotComputable(OasisError):
    """A metric has no value for this model and data; the message is the reason."""


class Network(NamedTuple):
    """A network that a metric uses.

    Attributes:
        network: what is called.
        key: JSON-able, all that its answers depend on; goes into the cache's keys.
        about: JSON-able, for the result.
    """

    network: object
    key: dict
    about: dict


@dataclass(frozen=True)
class Part:
    """What is measured of each chunk, a dict of arrays that the cache can keep.

    Attributes:
        name: metrics with parts of the same name share what is measured.
        key: JSON-able, all that the arrays depend on beside the pictures.
        of_model: whether generated pictures are looked at.
        summed: the arrays of chunks are added up instead of being kept one by one.
    """

    name: str
    key: dict
    of_model: bool
    summed: bool = False


class Metric(abc.ABC):
    """One number about generated pictures, and what goes with it.

    To add one, derive a class in a file of this directory and name it in `registry.py`. Training's
    configuration reads the registry, so TensorFlow may be imported in methods only.

    Args:
        request: `oasis_tf.evaluation.request.Request`.
        manifest: `data_pipeline.records.manifest.Manifest` of its records.

    Attributes:
        name: for `--metrics`.
        higher_is_better: whether it grows as pictures become better.
        during_training: may be computed during training: looks at each label map once.
        needs_segmenter: cannot be computed without `--segmenter`, whatever else is asked for.
        stand_in: what to do where weights are missing, in a sentence, or "".
        ranked_by: of what `ranking` is, for the report.
        notices: what a person should know of its numbers before they are computed, lines, once
            prepared.
        segmenter_sha256: of the segmenter whose number it is, once prepared; None if it is not
            one's.
    """

    name: str
    higher_is_better = False
    during_training = True
    needs_segmenter = False
    stand_in = ""
    ranked_by = ""
    notices = ()
    segmenter_sha256 = None

    def __init__(self, request, manifest):
        self.request = request
        self.manifest = manifest

    @property
    def result_name(self):
        """Its name in results."""
        return self.name

    @abc.abstractmethod
    def prepare(self, networks):
        """Loads what it needs.

        Args:
            networks: {role: `Network`} of those that are loaded; its own are added.

        Returns:
            iterable of the `Part`s that it is computed from.

        Raises:
            NotComputable: it cannot be computed for this request and data.
            oasis_tf.metrics.frozen.MissingWeights: a network's weights are not there.
        """

    @abc.abstractmethod
    def measure(self, part, chunk):
        """Measures one of its parts.

        Args:
            part: from `prepare`.
            chunk: `oasis_tf.evaluation.pictures.Chunk`.

        Returns:
            dict of arrays.
        """

    @abc.abstractmethod
    def result(self, parts):
        """Computes it.

        Args:
            parts: {name of a part: list of what `measure` gave, by chunk}.

        Returns:
            JSON-able dict with "value".

        Raises:
            NotComputable: these pictures give no value.
        """

    def details(self, result):
        """What stands behind the value of a result, in table and report: list of str."""
        return []

    def notes(self, result):
        """What stands below it: list of str, a line each."""
        return [result["warning"]] if "warning" in result else []

    def sections(self, result, parts):
        """What it adds to the report: list of HTML fragments, each with a heading."""
        return []

    def ranking(self, parts):
        """A number for each picture, float (n,), NaN for none; higher is better. Or None."""
        return None


def both_sides(name, key, *, summed=False):
    """The `Part`s "`name` of real" and "`name` of fake"."""
    return (
        Part(f"{name} of real", key, of_model=False, summed=summed),
        Part(f"{name} of fake", key, of_model=True, summed=summed),
    )


def in_short(value):
    """A number to print, or "-" for None.

    >>> in_short(0.123456), in_short(None)
    ('0.1235', '-')
    """
    return "-" if value is None else f"{value:.4g}"
