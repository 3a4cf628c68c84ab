"""The labels of an export, in the tool's order, and which of our classes each becomes."""

# What tools and their users call pixels that nobody has labelled, in lower case.
UNLABELLED = {"unlabelled", "unlabeled", "void--unlabeled"}
VOID = {"void", "ignore", "ignored", "__ignore__"}
# In an export, where a shape says what each class is.
BACKGROUND = {"background", "_background_"}


def class_table(names):
    """Makes our classes of a tool's labels.

    A name for unlabelled pixels (`background`, `_background_`, `void`, `ignore`, ... in any case)
    becomes 0; the others become 1, 2, ... in their order. Labels of one name are one class.

    Args:
        names: list of str.

    Returns:
        (our names, the first is "unlabelled"; list of our id of each of `names`).

    >>> class_table(["sky", "Background", "car", "sky"])
    (('unlabelled', 'sky', 'car'), [1, 0, 2, 1])
    """
    ours = {}
    for name in names:
        if name.lower() not in UNLABELLED | VOID | BACKGROUND:
            ours.setdefault(name, len(ours) + 1)
    return ("unlabelled", *ours), [ours.get(name, 0) for name in names]
