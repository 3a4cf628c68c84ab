"""A card of a run's settings, beside its curves in TensorBoard."""

import tensorflow as tf

from oasis_tf.config import settings

# Its name in TensorBoard.
SETTINGS = "settings"


def settings_card(config, facts):
    """The settings of a run as tables in Markdown.

    Args:
        config: `oasis_tf.config.Config`.
        facts: dict from words to what is to be known beside the settings, such as the number of
            pictures.

    Returns:
        str. Settings that are not the paper's defaults are in bold.
    """
    lines = ["| run | |", "|---|---|", f"| data set | {config.dataset} |"]
    lines += [f"| {_cell(name)} | {_cell(value)} |" for name, value in facts.items()]
    lines += ["", "| setting | value | default | what it is |", "|---|---|---|---|"]
    for field in settings():
        value, default = _value(getattr(config, field.name)), _value(field.default)
        shown = value if value == default else f"**{value}**"
        about = _cell(field.metadata["help"])
        lines.append(f"| `--{field.name}` | {shown} | {default} | {about} |")
    return "\n".join(lines)


def write_settings(writer, config, facts, step):
    """Writes the card of `settings_card` into TensorBoard's texts.

    Args:
        writer: a `tf.summary.SummaryWriter`.
        config, facts: as there.
        step: the first of this session.
    """
    with writer.as_default():
        tf.summary.text(SETTINGS, settings_card(config, facts), step=step)


def _value(value):
    if isinstance(value, tuple):
        return _cell(" ".join(map(str, value)) or "none")
    return "none" if value is None else _cell(value)


def _cell(value):
    """Text that neither ends its cell nor its row."""
    return str(value).replace("|", "\\|").replace("\n", " ")
