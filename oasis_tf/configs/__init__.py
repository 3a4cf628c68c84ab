"""The presets: one page per data set, each with its toy twin."""

from oasis_tf.configs import ade20k, cityscapes, coco_stuff, folder, lvis
from oasis_tf.configs.toy import toy

__all__ = ["PRESETS", "toy"]

PRESETS = {
    module.CONFIG.dataset: module.CONFIG
    for module in (lvis, ade20k, coco_stuff, cityscapes, folder)
}
