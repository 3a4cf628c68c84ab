"""The card of the settings, read back from TensorBoard's file."""

import dataclasses

import tensorflow as tf

from oasis_tf.config import Config, settings
from oasis_tf.training.settings_card import settings_card, write_settings


def test_read_back(tmp_path):
    config = Config("folder", image_size=(64, 128), steps=7, metrics=("fid", "colour"))
    writer = tf.summary.create_file_writer(str(tmp_path))
    write_settings(writer, config, {"pictures": 24}, step=3)
    writer.close()
    (path,) = tmp_path.glob("events*")
    ((step, value),) = [
        (event.step, value)
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    ]
    assert (step, value.tag, value.metadata.plugin_data.plugin_name) == (3, "settings", "text")
    text = tf.make_ndarray(value.tensor).item().decode()
    assert text == settings_card(config, {"pictures": 24})
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in text.splitlines()
        if line
    ]
    assert ["data set", "folder"] in rows and ["pictures", "24"] in rows
    values = {row[0].strip("`-"): row[1:] for row in rows if row[0].startswith("`--")}
    assert list(values) == [field.name for field in settings()]
    assert values["steps"][:2] == ["**7**", "none"]
    assert values["image_size"][:2] == ["**64 128**", "256 256"]
    assert values["metrics"][:2] == ["**fid colour**", "none"]
    assert values["seed"][:2] == ["0", "0"]


def test_no_cell_ends_a_row():
    config = dataclasses.replace(Config("folder"), segmenter="a|b\nc")
    (line,) = [x for x in settings_card(config, {}).splitlines() if x.startswith("| `--segmenter`")]
    assert "**a\\|b c**" in line
