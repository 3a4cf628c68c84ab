"""The presets: one page per data set, each with its toy twin."""

from importlib import import_module

from data_pipeline.datasets import DATASETS
from oasis_tf.configs.toy import toy

__all__ = ["PRESETS", "toy"]

PRESETS = {name: import_module(f"{__name__}.{name}").CONFIG for name in DATASETS}
