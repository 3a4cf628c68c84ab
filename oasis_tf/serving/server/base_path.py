"""Which versions of a model a directory holds, and what it holds where there are none."""

_INT64_MAX = 2**63 - 1
_NAMED = 5  # of what is found


def find_versions(base_path):
    """Version number -> directory.

    Args:
        base_path: Path whose children named by whole numbers are the versions.

    Raises:
        OSError: it cannot be listed.
    """
    found = {}
    for child in sorted(base_path.iterdir()):
        if child.name.isascii() and child.name.isdigit() and child.is_dir():
            number = int(child.name)
            if number <= _INT64_MAX:
                found.setdefault(number, child)
    return found


def why_none(base_path):
    """A sentence for the person who gave a directory without versions: what is expected and found.

    Args:
        base_path: as for `find_versions`, which finds nothing there.

    Raises:
        OSError: it cannot be listed.
    """
    children = [child for child in sorted(base_path.iterdir()) if not child.name.startswith(".")]
    models = [child for child in children if child.is_dir() and find_versions(child)]
    misnamed = [child.name for child in children if (child / "saved_model.pb").is_file()]
    found = f"{base_path} holds {_some([child.name for child in children])}"
    if (base_path / "saved_model.pb").is_file():
        found = f"{base_path} holds saved_model.pb itself: give its parent, {_parent(base_path)}"
    elif misnamed:
        found = f"{base_path} holds {_some(misnamed)}, not named by a whole number: rename it"
    elif models:
        found = f"{base_path} holds models ({_some([m.name for m in models])}): give {models[0]}"
    elif not children:
        found = f"{base_path} is empty"
    return (
        "--model_base_path must hold a directory named by a whole number, such as 1, for each "
        f"version, with saved_model.pb in it. Received: {found}"
    )


def _parent(base_path):
    return base_path.resolve().parent if base_path.name in ("", "..") else base_path.parent


def _some(names):
    rest = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
