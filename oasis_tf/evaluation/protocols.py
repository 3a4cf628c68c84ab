"""What exactly a number was computed by: named, versioned, and written into the result."""

from dataclasses import dataclass

from data_pipeline.errors import DataError
from oasis_tf.segmenters.label_sets import CITYSCAPES_CLASSES


@dataclass(frozen=True)
class Protocol:
    """How a data set is evaluated.

    Attributes:
        name: for `--protocol`.
        version: raised when the same input gives other numbers than before.
        about: what is particular, in a sentence; goes into the result.
        image_size: (height, width) that the records must have, or None for any.
        classes: names of the classes that mIoU averages, in the order of their ids in the
            literature; None for all. Pixels of other classes are taken as unlabelled.
        groups: also average over LVIS' frequent, common and rare classes.
    """

    name: str
    version: int
    about: str
    image_size: tuple[int, int] | None = None
    classes: tuple[str, ...] | None = None
    groups: bool = False

    @property
    def label(self):
        """Name and version in one word."""
        return f"{self.name}/{self.version}"


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol("generic", 1, "any data set: all its classes, at the size of its records"),
        Protocol("ade20k", 1, "150 classes, unlabelled pixels apart", (256, 256)),
        Protocol("coco_stuff", 1, "182 classes, unlabelled pixels apart", (256, 256)),
        Protocol(
            "cityscapes",
            1,
            "the 19 training ids of the 35 labelIds; all others count as unlabelled",
            (256, 512),
            CITYSCAPES_CLASSES,
        ),
        Protocol(
            "lvis",
            1,
            "a definition of this project, no published one: only annotated pixels count; means "
            "over classes in more than 100 (frequent), 11 to 100 (common) and 1 to 10 (rare) "
            "training pictures",
            groups=True,
        ),
    )
}


def choose_protocol(name, manifest):
    """The protocol asked for, or the data set's own if size and classes fit, else "generic".

    Args:
        name: of the protocol, or None.
        manifest: `data_pipeline.records.manifest.Manifest` of the records.

    Raises:
        DataError: the records have another size than the protocol prescribes, or lack classes
            that it names.
    """
    own = PROTOCOLS.get(manifest.dataset)
    if name is None:
        size = tuple(manifest.image_size)
        fits = own and own.image_size in (None, size) and not _missing(own, manifest)
        return own if fits else PROTOCOLS["generic"]
    protocol = PROTOCOLS[name]
    if protocol.image_size not in (None, tuple(manifest.image_size)):
        wanted, got = protocol.image_size, manifest.image_size
        raise DataError(
            f"--protocol {name} takes records of {wanted[0]}x{wanted[1]}; the protocol generic "
            f"takes any. Received: records of {got[0]}x{got[1]}"
        )
    missing = _missing(protocol, manifest)
    if missing:
        raise DataError(
            f"--protocol {name} takes records with its classes. "
            f"Received: records without {', '.join(missing)}"
        )
    return protocol


def _missing(protocol, manifest):
    """The classes that a protocol averages and the records lack."""
    return sorted(set(protocol.classes or ()) - set(manifest.class_names))
