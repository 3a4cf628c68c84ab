"""Classes in the order of the outputs of public segmentation networks."""

from data_pipeline.datasets.ade20k_names import CLASS_NAMES

ADE20K_CLASSES = tuple(CLASS_NAMES[1:])
# The 19 training ids of Cityscapes.
CITYSCAPES_CLASSES = (
    "road",
    "sidewalk",
    "building",
    "wall",
    "fence",
    "pole",
    "traffic light",
    "traffic sign",
    "vegetation",
    "terrain",
    "sky",
    "person",
    "rider",
    "car",
    "truck",
    "bus",
    "train",
    "motorcycle",
    "bicycle",
)
