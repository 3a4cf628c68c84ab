"""Which protocol a data set gets, and data that do not fit one."""

import types

import pytest

from data_pipeline.datasets import DATASETS
from data_pipeline.datasets.cityscapes import LEGEND
from data_pipeline.errors import DataError
from oasis_tf.evaluation.protocols import PROTOCOLS, choose_protocol

CLASS_NAMES = LEGEND.class_names


def manifest(dataset, size, names=CLASS_NAMES):
    return types.SimpleNamespace(dataset=dataset, image_size=size, class_names=names)


def test_the_default():
    assert choose_protocol(None, manifest("cityscapes", (256, 512))).label == "cityscapes/1"
    assert choose_protocol(None, manifest("cityscapes", (64, 128))).name == "generic"
    other = manifest("cityscapes", (256, 512), ("unlabelled", "sky"))
    assert choose_protocol(None, other).name == "generic"  # an export in its layout
    assert choose_protocol(None, manifest("folder", (256, 256))).name == "generic"
    assert choose_protocol(None, manifest("lvis", (64, 128))).groups


def test_cityscapes_has_the_19_training_ids():
    classes = PROTOCOLS["cityscapes"].classes
    # labelIds in the order of the training ids, as the data set's documents list them.
    ids = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
    assert [CLASS_NAMES.index(name) for name in classes] == ids


def test_data_that_do_not_fit():
    with pytest.raises(DataError, match="records of 256x512; .* Received: records of 64x128"):
        choose_protocol("cityscapes", manifest("cityscapes", (64, 128)))
    with pytest.raises(DataError, match="records without bicycle"):
        choose_protocol("cityscapes", manifest("folder", (256, 512), CLASS_NAMES[:-2]))


def test_a_protocol_is_of_a_data_set_there_is():
    assert PROTOCOLS.keys() - {"generic"} < DATASETS.keys()
