"""The start's part: a real start, and one that fails."""

import pytest

from benchmarks import records
from benchmarks.options import Options
from benchmarks.parts import startup


@pytest.mark.slow
def test_row(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "ROOT", tmp_path)
    (row,) = startup.run(Options(repeats=1))
    assert list(row["sides"]) == ["imports", "networks", "first step"]
    assert row["figure"] == pytest.approx(sum(value for value, _ in row["sides"].values()))
    assert row["target"] == "<= 25"


def test_a_start_that_fails(tmp_path):
    with pytest.raises(RuntimeError, match="ended before its first step:\nerror: no complete"):
        startup._start(tmp_path)
