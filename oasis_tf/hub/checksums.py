"""SHA256SUMS: the file of a published model that names its other files, as `sha256sum` does."""

import re

from data_pipeline.files import sha256

CHECKSUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def is_of_saved_model(name):
    """Whether a file of a repository, by its name, belongs to the SavedModel, "1/..."."""
    version, slash, _ = name.partition("/")
    return bool(slash) and version.isdecimal()


def checksums_of(files):
    """The text of the file.

    Args:
        files: dict from names in the repository to Paths.
    """
    return "".join(f"{sha256(path)}  {name}\n" for name, path in sorted(files.items()))


def wrong_files(directory, belongs):
    """Compares files with the checksums that lie beside them.

    Args:
        directory: Path that holds SHA256SUMS.
        belongs: function of a name, whether that file is to be there; others are not looked at.

    Returns:
        dict from names to what is wrong, "missing" for example; empty if all is well.
    """
    text = (directory / CHECKSUMS).read_text(encoding="utf-8", errors="replace")
    listed = {}
    for line in text.splitlines():
        found = _LINE.fullmatch(line)
        if found is None:
            return {CHECKSUMS: f"no line of sha256sum: {line[:80]!r}"}
        # Whoever wrote the file is not to name files of this machine: what is wrong is removed.
        if ".." in found[2].split("/"):
            return {CHECKSUMS: f"a name out of its directory: {found[2][:80]!r}"}
        if belongs(found[2]):
            listed[found[2]] = found[1]
    if not listed:
        return {CHECKSUMS: "it lists no model"}
    there = {
        name: path
        for path in directory.rglob("*")
        if path.is_file() and belongs(name := path.relative_to(directory).as_posix())
    }
    wrong = dict.fromkeys(sorted(listed.keys() - there.keys()), "missing")
    wrong |= dict.fromkeys(sorted(there.keys() - listed.keys()), "not listed")
    for name in sorted(listed.keys() & there.keys()):
        if sha256(there[name]) != listed[name]:
            wrong[name] = "another checksum"
    return wrong
