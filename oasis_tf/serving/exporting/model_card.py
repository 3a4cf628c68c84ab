"""The page that goes with an exported model."""

from oasis_tf.serving.exporting.model_info import SIZE_MULTIPLE

_CARD = """\
# {name}

Photographs from semantic label maps: the averaged generator of an OASIS network, exported for
{engine}.

| | |
|---|---|
| method | OASIS (Sushko et al., IJCV 2022), implemented in TensorFlow |
| data set | {dataset} |
| classes | {num_classes}, with class 0 "{unlabelled}" |
| trained at | {height}x{width} pixels (height x width) |
| takes | any size whose sides are multiples of {multiple}, up to {max_pixels} pixels a picture |
{rows}

## Scores

{scores}

## Intended use

Drawing pictures of scenes from label maps of the classes above: research on image synthesis,
mock-ups, varied pictures of one label map, data for experiments. The classes and their
colours are in {described}; class 0 may be used where nothing is known.

## Limits

- It draws what its training pictures showed, with their places, seasons and gaps; classes that
  were rare there are drawn badly.
- Sizes far from that of training give weaker pictures. A picture drawn as a part of a larger one is
  not the same picture.
- The pictures are synthetic. Do not present them as photographs, and do not take them as evidence
  or as measurements of anything.
- Redrawing one region changes its surroundings a little, as far as the network looks.

## Licence

{licence}
"""

_LICENCE = """\
The code that made this model is under Apache-2.0. The weights depend on the data set they were
learnt from, {dataset}: its terms, and those of its photographs, decide what may be done with
them."""


def model_card(info, name):
    """Writes the card of a SavedModel.

    Args:
        info: `ModelInfo`.
        name: the model's.

    Returns:
        str, Markdown.
    """
    rows = {
        "noise": f"{info.config.noise_channels} channels, from a seed",
        "precision": f"convolutions in {info.precision}, everything else in float32",
    }
    return _card(info, name, "TensorFlow Serving", "`assets.extra/model.json`", rows)


def engine_card(info, path, *, engine, weights, differences):
    """Writes the card of a file for another engine.

    Args:
        info: `ModelInfo`.
        path: of the file.
        engine: its name.
        weights: "float32", "float16" or "int8".
        differences: `oasis_tf.serving.exporting.compare_engines.Differences`.

    Returns:
        str, Markdown.
    """
    rows = {
        "file": f"{path.name}, of one signature: `label_map`, `noise`, `noise_map` to `image`",
        "noise": f"{info.config.noise_channels} channels, an input",
        "precision": f"weights in {weights}, computed in float32",
        "largest difference from TensorFlow": f"{differences.engine:.2g} in [-1, 1]",
        "largest difference from the trained network": f"{differences.trained:.2g} in [-1, 1]",
        "mean difference from the trained network": f"{differences.mean:.2g} in [-1, 1]",
    }
    return _card(info, path.stem, engine, "the metadata of the file", rows)


def licence(info):
    """str, what is known of the licence."""
    return _LICENCE.format(dataset=info.config.dataset)


def _card(info, name, engine, described, rows):
    height, width = info.config.image_size
    scores = "Not measured."
    if info.scores:
        lines = "\n".join(f"| {key} | {value:.4g} |" for key, value in info.scores.items())
        scores = f"| score | value |\n|---|---|\n{lines}"
    return _CARD.format(
        name=name,
        engine=engine,
        dataset=info.config.dataset,
        num_classes=info.legend.num_classes,
        unlabelled=info.legend.class_names[0],
        height=height,
        width=width,
        multiple=SIZE_MULTIPLE,
        max_pixels=info.max_pixels,
        rows="\n".join(f"| {key} | {value} |" for key, value in rows.items()),
        described=described,
        scores=scores,
        licence=licence(info),
    )
