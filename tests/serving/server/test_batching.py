"""With a function in the place of a model, which holds until it is let go."""

import asyncio
import threading

import numpy as np
import pytest

from oasis_tf.serving.server.batching import Batcher
from oasis_tf.serving.server.errors import ApiError, bad_request
from oasis_tf.serving.server.metrics import Metrics


class Signature:
    """Doubles x; keeps the rows of every call."""

    def __init__(self):
        self.joinable = True
        self.calls = []
        self.go = threading.Event()

    def run(self, inputs):
        self.go.wait(10)
        x = inputs["x"]
        self.calls.append(x.tolist())
        if x.ndim and (x < 0).any():
            raise bad_request("negative")
        return {"y": 2 * x}


def run(scenario, **options):
    """Runs `scenario(batcher, signature, call)` with one thread; returns the signature."""
    signature = Signature()

    async def main():
        options_ = {"max_batch_size": 4, "max_queue": 100, "threads": 1, **options}
        batcher = Batcher(Metrics(), **options_)
        batcher.start()

        async def call(*values, scalar=False):
            x = np.array(values[0] if scalar else values)
            answer = await batcher.run(None, signature, {"x": x})
            return answer["y"].tolist()

        try:
            await asyncio.wait_for(scenario(call, signature), 20)
        finally:
            await batcher.close()

    asyncio.run(main())
    return signature


async def together(*calls):
    """Starts calls in this order; the first one is already with the model."""
    tasks = []
    for call in calls:
        tasks.append(asyncio.ensure_future(call))
        await asyncio.sleep(0.02)
    return tasks


def test_what_waits_is_joined_up_to_the_limit_and_each_gets_its_rows():
    async def scenario(call, signature):
        tasks = await together(call(1), call(2), call(3, 4), call(5), call(6))
        signature.go.set()
        assert await asyncio.gather(*tasks) == [[2], [4], [6, 8], [10], [12]]

    assert run(scenario).calls == [[1], [2, 3, 4, 5], [6]]


def test_one_client_never_waits():
    async def scenario(call, signature):
        signature.go.set()
        assert await call(1) == [2]

    assert run(scenario).calls == [[1]]


def test_batch_size_one_joins_nothing():
    async def scenario(call, signature):
        tasks = await together(call(1), call(2), call(3))
        signature.go.set()
        await asyncio.gather(*tasks)

    assert run(scenario, max_batch_size=1).calls == [[1], [2], [3]]


def test_a_call_larger_than_a_batch_runs_alone():
    async def scenario(call, signature):
        tasks = await together(call(0), call(1, 2, 3, 4, 5, 6), call(7))
        signature.go.set()
        await asyncio.gather(*tasks)

    assert run(scenario).calls == [[0], [1, 2, 3, 4, 5, 6], [7]]


def test_only_equal_shapes_are_joined_and_others_keep_their_turn():
    async def scenario(call, signature):
        tasks = await together(call(1), call(2), call([3, 4]), call(5), call([6, 7]))
        signature.go.set()
        assert await asyncio.gather(*tasks) == [[2], [4], [[6, 8]], [10], [[12, 14]]]

    assert run(scenario).calls == [[1], [2, 5], [[3, 4], [6, 7]]]


def test_an_error_reaches_only_who_caused_it():
    async def scenario(call, signature):
        tasks = await together(call(1), call(2), call(-3), call(4))
        signature.go.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert [answers[0], answers[1], answers[3]] == [[2], [4], [8]]
        assert isinstance(answers[2], ApiError) and answers[2].status == 400

    assert run(scenario).calls == [[1], [2, -3, 4], [2], [-3], [4]]


def test_outputs_without_rows_are_computed_one_by_one():
    async def scenario(call, signature):
        signature.run, run_rows = lambda inputs: {"y": run_rows(inputs)["y"].sum()}, signature.run
        tasks = await together(call(1), call(2, 3), call(4))
        signature.go.set()
        assert await asyncio.gather(*tasks) == [2, 10, 8]
        assert not signature.joinable

    assert run(scenario).calls == [[1], [2, 3, 4], [2, 3], [4]]


def test_scalars_are_never_joined():
    async def scenario(call, signature):
        tasks = await together(call(1), call(2, scalar=True), call(3, scalar=True), call(4))
        signature.go.set()
        assert await asyncio.gather(*tasks) == [[2], 4, 6, [8]]

    assert run(scenario).calls == [[1], 2, 3, [4]]


def test_a_full_queue_is_refused_at_once():
    async def scenario(call, signature):
        tasks = await together(call(1), call(2), call(3))
        with pytest.raises(ApiError) as caught:
            await call(4)
        assert caught.value.status == 503
        signature.go.set()
        await asyncio.gather(*tasks)
        assert await call(5) == [10]

    assert run(scenario, max_queue=2).calls == [[1], [2, 3], [5]]


def test_what_is_given_up_is_not_computed():
    async def scenario(call, signature):
        tasks = await together(call(1), call(2), call(3))
        tasks[1].cancel()
        await asyncio.sleep(0)
        signature.go.set()
        assert await tasks[2] == [6]

    assert run(scenario).calls == [[1], [3]]
