"""The data service's part in short windows."""

import pytest

from benchmarks.parts import data_service


@pytest.mark.slow
def test_rows(options):
    rows = data_service.run(options)
    assert [row["what"] for row in rows] == ["batches of 4, 1 worker", "batches of 4, 2 workers"]
    for row, name in zip(rows, ("1 worker", "2 workers"), strict=True):
        assert set(row["sides"]) == {"in the trainer", name}
        assert row["figure"] == row["sides"][name][0] > 0
