"""What is said of metrics without a value."""


def complaints(reasons, stand_ins):
    """A line for each reason why metrics have no value.

    Args:
        reasons: {name of the metric: reason}.
        stand_ins: {name of the metric: what to do instead}, of some.

    Returns:
        list of str.

    >>> complaints({"fid": "no weights", "kid": "no weights", "miou": "no segmenter"},
    ...            {"fid": "take other features", "kid": "take other features"})
    ['no fid, kid: no weights. Instead: take other features', 'no miou: no segmenter']
    """
    names = {}
    for name, reason in reasons.items():
        stand_in = f". Instead: {stand_ins[name]}" if name in stand_ins else ""
        names.setdefault(reason + stand_in, []).append(name)
    return [f"no {', '.join(metrics)}: {reason}" for reason, metrics in names.items()]
