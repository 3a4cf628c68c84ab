"""The page that goes with an exported model."""

from oasis_tf.serving.exporting.model_info import SIZE_MULTIPLE

_CARD = """\
# {name}

Photographs from semantic label maps: the averaged generator of an OASIS network, exported for
TensorFlow Serving.

| | |
|---|---|
| method | OASIS (Sushko et al., IJCV 2022), implemented in TensorFlow |
| data set | {dataset} |
| classes | {num_classes}, with class 0 "{unlabelled}" |
| trained at | {height}x{width} pixels (height x width) |
| takes | any size whose sides are multiples of {multiple}, up to {max_pixels} pixels a picture |
| noise | {noise_channels} channels, from a seed |
| precision | convolutions in {precision}, everything else in float32 |

## Scores

{scores}

## Intended use

Drawing pictures of scenes from label maps of the classes above: research on image synthesis,
mock-ups, varied pictures of one label map, data for experiments. `assets.extra/model.json` names
the classes and their colours; class 0 may be used where nothing is known.

## Limits

- It draws what its training pictures showed, with their places, seasons and gaps; classes that
  were rare there are drawn badly.
- Sizes far from that of training give weaker pictures. A picture drawn as a part of a larger one is
  not the same picture.
- The pictures are synthetic. Do not present them as photographs, and do not take them as evidence
  or as measurements of anything.
- Redrawing one region changes its surroundings a little, as far as the network looks.

## Licence

The code that made this model is under Apache-2.0. The weights depend on the data set they were
learnt from, {dataset}: its terms, and those of its photographs, decide what may be done with them.
"""


def model_card(info, name):
    """Writes the card.

    Args:
        info: `ModelInfo`.
        name: the model's.

    Returns:
        str, Markdown.
    """
    height, width = info.config.image_size
    scores = "Not measured."
    if info.scores:
        rows = "\n".join(f"| {key} | {value:.4g} |" for key, value in info.scores.items())
        scores = f"| score | value |\n|---|---|\n{rows}"
    return _CARD.format(
        name=name,
        dataset=info.config.dataset,
        num_classes=info.legend.num_classes,
        unlabelled=info.legend.class_names[0],
        height=height,
        width=width,
        multiple=SIZE_MULTIPLE,
        max_pixels=info.max_pixels,
        noise_channels=info.config.noise_channels,
        precision=info.precision,
        scores=scores,
    )
