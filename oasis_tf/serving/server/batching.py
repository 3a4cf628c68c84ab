"""Joins concurrent calls of a model into batches."""

import asyncio
import collections
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from oasis_tf.serving.server.errors import ApiError


@dataclass
class _Call:
    servable: object
    signature: object
    inputs: dict
    rows: int | None  # None: it cannot share a batch
    answer: asyncio.Future

    def joins(self, other):
        """Whether both may be one call of the model."""
        return (
            self.rows is not None
            and other.rows is not None
            and self.signature is other.signature
            and all(
                array.shape[1:] == other.inputs[name].shape[1:]
                for name, array in self.inputs.items()
            )
        )


class Batcher:
    """Runs calls in a few threads; what waits meanwhile is joined along dimension 0.

    A call never waits for others to come: it runs at once if a thread is free. So nothing is
    lost with one client, and the batches grow with the load. Calls are joined if they go to the
    same signature of the same version with inputs of the same shape but for dimension 0. When a
    joined call fails each of its parts is run alone, so that nobody gets another's error.

    Args:
        metrics: `Metrics`.
        max_batch_size: rows of a joined call; 1 joins nothing.
        max_queue: calls that may wait; the next one is refused.
        threads: calls of the model at a time.
    """

    def __init__(self, metrics, *, max_batch_size, max_queue, threads):
        self._metrics = metrics
        self._max_batch_size = max_batch_size
        self._max_queue = max_queue
        self._waiting = collections.deque()
        self._wake = asyncio.Semaphore(0)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="model")
        self._threads = threads
        self._workers = []

    def start(self):
        """Begins to work, in the running event loop."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._threads)]

    async def run(self, servable, signature, inputs):
        """Calls the model: dict of arrays -> dict of arrays.

        Args:
            servable: the version, kept in memory until the call is done.
            signature: its `Signature`.
            inputs: dict of arrays.

        Raises:
            ApiError: 503 if the queue is full, or whatever the model answers.
        """
        if len(self._waiting) >= self._max_queue:
            raise ApiError(503, f"the server is busy: {self._max_queue} requests are waiting")
        answer = asyncio.get_running_loop().create_future()
        rows = _common_rows(inputs) if signature.joinable and self._max_batch_size > 1 else None
        self._waiting.append(_Call(servable, signature, inputs, rows, answer))
        self._metrics.queued.set(len(self._waiting))
        self._wake.release()
        return await answer

    async def close(self):
        """Ends the threads, once the calls under way are done."""
        for worker in self._workers:
            worker.cancel()
        for worker in self._workers:
            with contextlib.suppress(asyncio.CancelledError):
                await worker
        self._pool.shutdown()

    async def _work(self):
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.acquire()
            calls = self._take()
            if calls:
                answers = await loop.run_in_executor(self._pool, self._compute, calls)
                for call, answer in zip(calls, answers, strict=True):
                    _settle(call.answer, answer)
            # The servable must not be held while waiting.
            calls = answers = call = answer = None

    def _take(self):
        """The oldest call and those that may join it; [] if all were taken or given up."""
        calls, rows, others = [], 0, []
        while self._waiting:
            call = self._waiting.popleft()
            if call.answer.done():  # the client is gone, or its time is up
                continue
            if not calls:
                calls, rows = [call], call.rows or 1
            elif calls[0].joins(call) and rows + call.rows <= self._max_batch_size:
                calls.append(call)
                rows += call.rows
            else:
                others.append(call)
        self._waiting.extend(others)
        self._metrics.queued.set(len(self._waiting))
        return calls

    def _compute(self, calls):
        """Runs in a thread; one dict of outputs or exception for each call."""
        if len(calls) > 1:
            answers = self._compute_joined(calls)
            if answers is not None:
                return answers
        return [self._compute_one(call) for call in calls]

    def _compute_one(self, call):
        try:
            return self._timed(call.signature, call.inputs, call.rows or 1)
        except Exception as error:
            return error

    def _compute_joined(self, calls):
        signature, rows = calls[0].signature, [call.rows for call in calls]
        joined = {
            name: np.concatenate([call.inputs[name] for call in calls]) for name in calls[0].inputs
        }
        try:
            outputs = self._timed(signature, joined, sum(rows))
        except Exception:
            return None
        if any(array.ndim == 0 or len(array) != sum(rows) for array in outputs.values()):
            signature.joinable = False
            return None
        ends = np.cumsum(rows)
        return [
            {name: array[end - size : end] for name, array in outputs.items()}
            for end, size in zip(ends, rows, strict=True)
        ]

    def _timed(self, signature, inputs, rows):
        start = time.perf_counter()
        outputs = signature.run(inputs)
        self._metrics.batch_seconds.observe(time.perf_counter() - start)
        self._metrics.batch_rows.observe(rows)
        return outputs


def _common_rows(inputs):
    """Dimension 0 of all inputs, or None where they have none in common."""
    sizes = {array.shape[0] if array.ndim else None for array in inputs.values()}
    return sizes.pop() if len(sizes) == 1 else None


def _settle(future, answer):
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
