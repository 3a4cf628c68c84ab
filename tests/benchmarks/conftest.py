"""What the tests of the benchmarks share."""

import math

import pytest

from benchmarks.options import Options
from tests.toy_data import build_records


@pytest.fixture(scope="session")
def records(tmp_path_factory):
    """Toy records of 64x128 with four classes."""
    return build_records(tmp_path_factory.mktemp("benchmark_records"))


@pytest.fixture
def options(records):
    """Toy widths on toy records: 9 classes are few, 33 are many."""
    return Options(records, repeats=1, quick=True)


@pytest.fixture
def clock(monkeypatch, eager):
    """Gives a part's sides times that are known: `clock(module, {name in the side: seconds})`.

    One side of each kind (the first of its names) still runs, once. The times of all of a side's
    names are multiplied.
    """

    def install(module, times):
        def interleave(sides, repeats):
            for side in {names[0]: side for names, side in sides.items()}.values():
                side()
            return {
                names: [math.prod(times.get(name, 1.0) for name in names)] * repeats
                for names in sides
            }

        monkeypatch.setattr(module, "interleave", interleave)

    return install
