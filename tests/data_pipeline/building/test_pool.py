import os

import pytest

from data_pipeline.building.pool import ordered_map
from data_pipeline.errors import BuildFailed


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order(workers):
    numbers = range(-150, 0)
    assert list(ordered_map(abs, numbers, workers)) == [abs(number) for number in numbers]


def test_dead_worker():
    with pytest.raises(BuildFailed, match=r"a worker process died.*Received: --workers 2"):
        list(ordered_map(os._exit, [3, 3], 2))
