"""The registry of data sets: the one list of their names, from which all others are made.

`--dataset` of every command, the pages of `oasis_tf/configs` and what `oasis_tf.convert` knows come
from here. It is light: a reader is imported when something is read.
"""

from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True)
class Entry:
    """One registered data set; `data_pipeline/datasets/{name}.py` reads it.

    Attributes:
        name: what it is called, everywhere.
        image_size: (height, width) that training sees unless told otherwise.
        crop: training images are stored larger, so that training can crop at random.
        options: names of the arguments that only this data set takes.
        annotations: its label maps are painted from annotations in JSON, and its reader takes
            `skip_broken`.
        fixed_classes: the classes are always the same, and the reader has them as `LEGEND`.
        keeps_notes: the reader takes `notes`, a directory for what the next process can use.
    """

    name: str
    image_size: tuple[int, int] = (256, 256)
    crop: bool = True
    options: tuple[str, ...] = ()
    annotations: bool = False
    fixed_classes: bool = False
    keeps_notes: bool = False

    def open(self, source, splits, **options):
        """Runs the reader's cheap checks; the `Dataset`. Arguments as of `open_{name}`."""
        return getattr(self._reader(), f"open_{self.name}")(source, splits, **options)

    def legend(self):
        """The `Legend` of a data set of `fixed_classes`."""
        return self._reader().LEGEND

    def _reader(self):
        return import_module(f"{__name__}.{self.name}")


DATASETS = {
    entry.name: entry
    for entry in (
        Entry("lvis", options=("skip_missing",), annotations=True, keeps_notes=True),
        Entry("ade20k", options=("skip_unpaired",), fixed_classes=True),
        Entry("coco_stuff", options=("skip_unpaired",), fixed_classes=True),
        Entry(
            "cityscapes",
            image_size=(256, 512),
            crop=False,
            options=("skip_unpaired",),
            fixed_classes=True,
        ),
        Entry(
            "folder",
            options=("class_names", "unlabelled", "image_suffix", "label_suffix", "skip_unpaired"),
        ),
        Entry("voc", options=("skip_unpaired",)),
        Entry("coco", options=("skip_missing",), annotations=True, keeps_notes=True),
        Entry("coco_panoptic", options=("skip_missing",)),
        Entry("labelme", annotations=True),
        Entry("mapillary", options=("skip_unpaired",)),
        Entry("sample", fixed_classes=True),
    )
}
