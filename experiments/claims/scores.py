"""The numbers that are compared, from what `python -m oasis_tf.evaluate` has written."""

from typing import NamedTuple

GROUPS = ("frequent", "common", "rare")


class Score(NamedTuple):
    """A number of a run.

    Attributes:
        title: for tables and plots.
        higher_is_better: or more diverse.
        digits: behind the point, in tables.
    """

    title: str
    higher_is_better: bool
    digits: int = 3


# In the order of the table's columns.
SCORES = {
    "miou": Score("mIoU", True),
    "miou_frequent": Score("frequent", True),
    "miou_common": Score("common", True),
    "miou_rare": Score("rare", True),
    "fid": Score("Frechet distance", False, 3),
    "kid": Score("kernel distance", False, 5),
    "diversity_global": Score("diversity, global", True, 4),
    "diversity_local": Score("local", True, 4),
    "diversity_classes": Score("mean of classes", True, 4),
    "ms_ssim_global": Score("MS-SSIM, global", False),
    "ms_ssim_local": Score("local", False, 4),
    "colour": Score("colour", False, 4),
    "texture": Score("texture", False, 4),
}


def measured(content):
    """Names in `SCORES` that a run has a value of; of groups of classes only where there are two.

    Args:
        content: the dict that `experiments.claims` writes.
    """
    scores = [run["scores"] for run in content["runs"]]
    names = [name for name in SCORES if any(each[name] is not None for each in scores)]
    groups = {f"miou_{name}" for name in GROUPS}
    several = len(groups.intersection(names)) > 1
    return [name for name in names if several or name not in groups]


def read_scores(result, groups):
    """The scores of one run.

    Args:
        result: what `oasis_tf.evaluate --out` holds.
        groups: {"frequent", "common", "rare": class ids}.

    Returns:
        ({name in `SCORES`: float or None}, {class name: {"iou", "iou_of_photographs",
        "distance"}}).
    """
    metrics = result["metrics"]
    miou, diversity = metrics["miou"], metrics["feature_diversity"]
    by_id = {row["id"]: row for row in miou["per_class"]}
    scores = {
        "miou": miou["value"],
        "fid": metrics["fid_by_segmenter"].get("value"),
        "kid": metrics["kid_by_segmenter"].get("value"),
        "colour": metrics["colour"]["value"],
        "texture": metrics["texture"]["value"],
        **{f"miou_{name}": _mean(by_id, ids, "iou") for name, ids in groups.items()},
    }
    for name in ("global", "local"):
        scores[f"diversity_{name}"] = diversity[name]
        scores[f"ms_ssim_{name}"] = metrics["ms_ssim"].get(name)
    scores["diversity_classes"] = diversity["mean_over_classes"]
    classes = {
        row["class"]: {"iou": row["iou"], "iou_of_photographs": row["iou_of_photographs"]}
        for row in miou["per_class"]
    }
    for row in diversity["per_class"]:
        classes.setdefault(row["class"], {})["distance"] = row["distance"]
    return {name: _rounded(scores[name]) for name in SCORES}, {
        name: {key: _rounded(value) for key, value in row.items()} for name, row in classes.items()
    }


def of_photographs(result, groups):
    """{"miou", "miou_frequent", ...} of the photographs, which bound those of pictures."""
    miou = result["metrics"]["miou"]
    by_id = {row["id"]: row for row in miou["per_class"]}
    scores = {f"miou_{n}": _mean(by_id, ids, "iou_of_photographs") for n, ids in groups.items()}
    scores["miou"] = miou["of_photographs"]["miou"]
    return {name: _rounded(value) for name, value in scores.items()}


def _mean(rows, ids, key):
    values = [rows[i][key] for i in ids if i in rows]
    return sum(values) / len(values) if values else None


def _rounded(value):
    # Five digits tell enough, and keep the file small.
    return None if value is None else float(f"{value:.5g}")
