"""Which classes two models have in common."""


def shared_classes(here, there):
    """[(id here, id there)] of the class names that both have; unlabelled, 0, is one class.

    >>> shared_classes(("unlabelled", "tree", "sky"), ("unlabelled", "sky", "sea"))
    [(0, 0), (2, 1)]
    """
    ids = {name: number for number, name in enumerate(there)}
    pairs = [(number, ids[name]) for number, name in enumerate(here) if number and name in ids]
    return [(0, 0), *(pair for pair in pairs if pair[1])]
