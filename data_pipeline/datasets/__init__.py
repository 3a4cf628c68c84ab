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
        fixed_classes: the classes are always the same, and the reader has them as `LEGEND`.
    """

    name: str
    image_size: tuple[int, int] = (256, 256)
    crop: bool = True
    options: tuple[str, ...] = ()
    fixed_classes: bool = False

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
        Entry("lvis", options=("skip_missing",)),
        Entry("ade20k", fixed_classes=True),
        Entry("coco_stuff", fixed_classes=True),
        Entry("cityscapes", image_size=(256, 512), crop=False, fixed_classes=True),
        Entry("folder", options=("class_names", "unlabelled")),
        Entry("voc"),
        Entry("coco", options=("skip_missing",)),
        Entry("coco_panoptic", options=("skip_missing",)),
        Entry("labelme"),
        Entry("mapillary"),
        Entry("sample", fixed_classes=True),
    )
}
