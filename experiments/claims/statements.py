"""Sentences about variants, made only where the seeds allow them."""

from math import comb
from typing import NamedTuple

from experiments.claims.scores import SCORES, measured
from experiments.claims.variants import FULL, title

# Of ranges that lie apart: what three seeds each come to.
_MOST_BY_CHANCE = 0.05


class Claim(NamedTuple):
    """A part of the method and what should show that it is worth something.

    Attributes:
        text: what the paper says.
        without: the variant that lacks the part.
        scores: names in `SCORES`, in which the method should be better (or more diverse).
    """

    text: str
    without: str
    scores: tuple[str, ...]


CLAIMS = (
    Claim(
        "A segmentation network as the discriminator aligns pictures with their labels.",
        "real_fake",
        ("miou", "miou_rare", "fid", "kid"),
    ),
    Claim(
        "Class balance in its loss carries the rare classes.",
        "no_balance",
        ("miou_rare", "miou_common", "miou"),
    ),
    Claim(
        "3D noise makes pictures of one label map differ, globally and locally.",
        "no_noise",
        ("diversity_global", "diversity_local", "diversity_classes", "ms_ssim_global"),
    ),
    Claim(
        "It does so because all layers see it.",
        "noise_first",
        ("diversity_global", "diversity_local", "diversity_classes", "ms_ssim_local"),
    ),
    Claim("LabelMix helps.", "no_labelmix", ("miou", "miou_rare", "fid", "kid")),
    Claim(
        "No perceptual loss is needed.",
        "perceptual",
        ("miou", "fid", "kid", "diversity_global"),
    ),
)


def compare(full, without, higher_is_better):
    """Whether the ranges of two lists of numbers lie apart.

    Args:
        full, without: a number a seed; None where there is none.
        higher_is_better: of the score.

    Returns:
        "better" or "worse", what the first one is in each pair of seeds; None where the ranges
        overlap or touch, or a number is missing.

    >>> compare([0.5, 0.6], [0.3, 0.4], True), compare([0.5, 0.6], [0.3, 0.5], True)
    ('better', None)
    """
    if not full or not without or None in (*full, *without):
        return None
    if min(full) > max(without):
        return "better" if higher_is_better else "worse"
    if max(full) < min(without):
        return "worse" if higher_is_better else "better"
    return None


def by_chance(first, second):
    """How often ranges of so many numbers of one distribution lie apart in a given order.

    >>> by_chance(3, 3)
    0.05
    """
    return 1 / comb(first + second, first)


def statements(content):
    """Markdown on each claim whose variants were trained.

    Args:
        content: the dict that `experiments.claims` writes.

    Returns:
        list of lines: a heading of each claim, then a sentence a score that some run has.
    """
    lines, known = [], measured(content)
    for claim in CLAIMS:
        values = {name: _values(content, name) for name in (FULL, claim.without)}
        full, without = values[FULL], values[claim.without]
        if not full or not without:
            continue
        lines += [f"**{claim.text}**", ""]
        for name in claim.scores:
            if name in known:
                lines.append("- " + _sentence(name, title(claim.without), full, without))
        lines.append("")
    return lines[:-1]


def _sentence(name, without_title, full, without):
    score = SCORES[name]
    a, b = ([run[name] for run in runs] for runs in (full, without))
    what = _named(name)
    if None in (*a, *b):
        return f"{what}: no value."
    numbers = f"{spread(a, score.digits)} with, {spread(b, score.digits)} with “{without_title}”"
    chance = by_chance(len(a), len(b))
    if chance > _MOST_BY_CHANCE:
        return f"{what}: {numbers}. Too few seeds to tell."
    verdict = compare(a, b, score.higher_is_better)
    if verdict is None:
        return f"{what}: {numbers}. The ranges overlap: not visible here."
    word = {
        (True, "better"): "higher",
        (True, "worse"): "lower",
        (False, "better"): "lower",
        (False, "worse"): "higher",
    }[score.higher_is_better, verdict]
    told = "as the claim says" if verdict == "better" else "**against the claim**"
    return f"{what}: {numbers}. {word.capitalize()} in every seed, {told} (by chance {chance:.0%})."


def _named(name):
    group, _, part = name.partition("_")
    if name.startswith("ms_ssim"):
        return f"MS-SSIM, {name.rsplit('_', 1)[1]}"
    if group == "miou" and part:
        return f"mIoU of {part} classes"
    if group == "diversity":
        return {"classes": "diversity, mean of classes"}.get(part, f"diversity, {part}")
    return SCORES[name].title


def spread(values, digits):
    """Mean and range of numbers, or "-".

    >>> spread([0.5, 0.25], 2)
    '0.38 (0.25 to 0.50)'
    """
    if not values or None in values:
        return "-"
    mean = sum(values) / len(values)
    if len(values) == 1:
        return f"{mean:.{digits}f}"
    return f"{mean:.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def _values(content, variant):
    return [run["scores"] for run in content["runs"] if run["variant"] == variant]
