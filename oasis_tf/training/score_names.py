"""The scores by which a run may choose its best checkpoint: what they are called, and their sense.

Without TensorFlow, for the commands that name them.
"""

from oasis_tf.evaluation.metrics.registry import METRICS

# The discriminator's, which needs no other network: what chooses where nothing else does.
CHEAP_SCORE = "score/miou"

_TITLES = {
    CHEAP_SCORE: "mIoU by the discriminator",
    "metrics/miou": "mIoU by the segmenter",
}


def score_title(name):
    """What a score is called where people read it.

    Args:
        name: of the score, as the curves and the checkpoints have it.

    >>> score_title("score/miou"), score_title("metrics/kid_by_segmenter")
    ('mIoU by the discriminator', 'kid_by_segmenter')
    """
    return _TITLES.get(name, name.removeprefix("metrics/"))


def higher_is_better(name):
    """Whether the larger of two such scores is the better one.

    Raises:
        KeyError: no such metric is known.

    >>> higher_is_better("metrics/miou"), higher_is_better("metrics/kid_by_segmenter")
    (True, False)
    """
    if name == CHEAP_SCORE:
        return True
    metric, _, _ = name.removeprefix("metrics/").partition("_by_")
    return METRICS[metric].higher_is_better
