"""What is said about the machine can be written and read."""

import json
import os
import re

import pytest
import tensorflow as tf

from benchmarks import machine


def test_describe():
    found = machine.describe()
    assert json.loads(json.dumps(found)) == found
    assert found["device"]["cores"] == len(os.sched_getaffinity(0))
    assert found["device"]["memory_gb"] > 0.1
    assert found["versions"]["tensorflow"] == tf.__version__
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", found["date"])


@pytest.mark.parametrize("path", ["/nowhere", ""])
def test_without_git_or_repository(monkeypatch, tmp_path, path):
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    if path:
        monkeypatch.setenv("PATH", path)
    found = machine.describe()
    assert found["commit"] is None
    assert found["uncommitted_changes"] is False
