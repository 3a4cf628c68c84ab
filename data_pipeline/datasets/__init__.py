"""The data sets that can be built: one module each, all of the same shape."""

from collections.abc import Callable
from dataclasses import dataclass

from data_pipeline.datasets.ade20k import open_ade20k
from data_pipeline.datasets.cityscapes import open_cityscapes
from data_pipeline.datasets.coco_stuff import open_coco_stuff
from data_pipeline.datasets.folder import open_folder
from data_pipeline.datasets.lvis import open_lvis


@dataclass(frozen=True)
class Entry:
    """One registered data set.

    Attributes:
        open: (source, splits, **options) -> Dataset.
        image_size: (height, width) that training sees unless told otherwise.
        crop: training images are stored larger, so that training can crop at random.
        options: names of the arguments that only this data set takes.
    """

    open: Callable
    image_size: tuple[int, int] = (256, 256)
    crop: bool = True
    options: tuple[str, ...] = ()


DATASETS = {
    "lvis": Entry(open_lvis, options=("skip_missing",)),
    "ade20k": Entry(open_ade20k),
    "coco_stuff": Entry(open_coco_stuff),
    "cityscapes": Entry(open_cityscapes, image_size=(256, 512), crop=False),
    "folder": Entry(open_folder, options=("class_names", "unlabelled")),
}
