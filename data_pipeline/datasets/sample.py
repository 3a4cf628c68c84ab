"""The project's own sample data set: the layout of LVIS, with classes and colours of its own."""

from dataclasses import replace

from data_pipeline.datasets.lvis import open_lvis
from data_pipeline.errors import DataError
from data_pipeline.labels.legend import Legend
from data_pipeline.labels.palette import UNLABELLED_COLOUR

# In alphabetical order: the row is the category id. Near the colours that the things are painted
# in (`data_pipeline/sample_set/kinds.py`), but apart from each other.
COLOURS = {
    "unlabelled": UNLABELLED_COLOUR,
    "balloon": (217, 67, 142),
    "bird": (39, 51, 110),
    "boat": (150, 65, 30),
    "bush": (165, 192, 60),
    "car": (245, 190, 20),
    "chimney": (140, 45, 65),
    "cloud": (235, 242, 250),
    "cow": (80, 45, 50),
    "door": (30, 125, 116),
    "fence": (205, 190, 165),
    "fir": (20, 85, 70),
    "flower": (250, 95, 160),
    "haystack": (215, 165, 60),
    "house": (225, 165, 115),
    "kite": (235, 60, 235),
    "lake": (60, 130, 215),
    "lighthouse": (245, 150, 150),
    "moon": (255, 250, 150),
    "mushroom": (190, 25, 70),
    "pumpkin": (245, 120, 25),
    "rainbow": (145, 90, 210),
    "road": (95, 93, 102),
    "rock": (150, 150, 158),
    "roof": (205, 60, 45),
    "sail": (250, 200, 160),
    "sheep": (225, 215, 205),
    "snowman": (195, 225, 245),
    "sun": (255, 225, 50),
    "tent": (60, 175, 175),
    "tree": (75, 160, 60),
    "trunk": (110, 72, 40),
    "windmill": (205, 180, 205),
    "window": (120, 195, 240),
}
LEGEND = Legend(tuple(COLOURS), tuple(COLOURS.values()))


def open_sample(source, splits):
    """Finds what `python -m data_pipeline.sample` has drawn.

    Args:
        source: Path of the directory.
        splits: of ("train", "val"), or None for both.

    Returns:
        Dataset of `LvisItem`, with N = 34; a label is a category id.

    Raises:
        DataError: other categories than the sample's, or as `open_lvis`.
    """
    dataset = open_lvis(source, splits)
    if dataset.class_names != LEGEND.class_names:
        raise DataError(
            f"{source} must hold what python -m data_pipeline.sample draws, with its "
            f"{LEGEND.num_classes - 1} categories (--dataset lvis takes others). "
            f"Received: {len(dataset.class_names) - 1} categories, "
            f"{', '.join(dataset.class_names[1:4])}, ..."
        )
    return replace(dataset, palette=LEGEND.palette)
