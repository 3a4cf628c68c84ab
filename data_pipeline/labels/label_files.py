"""Reads label maps to draw pictures from, and the palettes that users give for them."""

from data_pipeline.datasets.pictures import label_ids, open_label
from data_pipeline.errors import DataError
from data_pipeline.labels.class_list_file import read_class_list_file
from data_pipeline.labels.label_rule import LabelRule


def read_label_map(path, legend, palette=None):
    """Reads a label map in any of the forms that data sets use, see `LabelRule`.

    Args:
        path: the file.
        legend: `Legend` of the model.
        palette: from `read_palette`. Defaults to the legend's own rule.

    Returns:
        int32 (H, W), ids in [0, N).

    Raises:
        DataError: unreadable file, ids or colours of no class. The message names the file.
    """
    ids = label_ids(open_label(path), path, palette or legend.rule)
    try:
        return legend.to_ours(ids)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def read_palette(path, legend):
    """Reads which colour means which class.

    Args:
        path: Path of a JSON list of {"name": ..., "color": [r, g, b]}, in any order; classes that
            the label maps do not use may be left out.
        legend: `Legend` of the model.

    Returns:
        `LabelRule` in which these colours decide.

    Raises:
        DataError: malformed file, or names that are no class.
    """
    names, colours, _ = read_class_list_file(path)
    if colours is None:
        raise DataError(
            f'{path} must be a JSON list of {{"name": ..., "color": [r, g, b]}}. '
            "Received: names without colours"
        )
    try:
        ids = [legend.file_ids[legend.class_id(name)] for name in names]
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    return LabelRule(dict(zip(ids, colours, strict=True)), distinct=True)
