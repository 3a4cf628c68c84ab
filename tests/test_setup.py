"""What setup.py asks for, beside what the pages say of it."""

import re
import runpy
from pathlib import Path

import pytest
import setuptools

ROOT = Path(__file__).parents[1]


@pytest.fixture
def arguments(monkeypatch):
    """What setup.py calls `setup` with."""
    found = {}
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(setuptools, "setup", lambda **given: found.update(given))
    runpy.run_path("setup.py")
    return found


def names(requirements):
    return {re.match(r"[\w-]+", requirement).group() for requirement in requirements}


def test_the_versions_of_python_are_those_of_the_readme(arguments):
    first, last = re.search(
        r"Python 3\.(\d+) to 3\.(\d+)", (ROOT / "README.md").read_text()
    ).groups()
    assert arguments["python_requires"] == f">=3.{first},<3.{int(last) + 1}"


def test_every_package_has_a_reason(arguments):
    rows = re.findall(r"^\| (.*?) \|", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE)
    told = {name for row in rows[1:] for name in re.findall(r"[\w-]+", row.partition("(")[0])}
    extras = arguments["extras_require"].values()
    asked = names(arguments["install_requires"]).union(*map(names, extras))
    assert len(asked) > 15
    assert asked <= told


def test_tensorboard_is_asked_for_by_name(arguments):
    """Nothing of ours imports it, and a later TensorFlow, which needs it for `tf.summary`, does
    not bring it."""
    assert "tensorboard" in names(arguments["install_requires"])
