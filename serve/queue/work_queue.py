"""A bounded queue of jobs for a few threads; a job that finds it full is refused at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from math import ceil
from threading import Lock
from time import perf_counter
from typing import Any, TypeVar

from ..refusal import Refusal

T = TypeVar("T")
_WEIGHT = 0.1  # of the newest job in the mean duration


class WorkQueue:
    """Runs jobs in threads, in the order in which they came.

    Args:
        workers: Threads.
        waiting: Jobs that may wait for a thread.
    """

    def __init__(self, *, workers: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="depthrt-serve")
        self._workers, self._lock = workers, Lock()
        self._held, self._mean_s = 0, 0.1
        self.most = workers + waiting

    @property
    def held(self) -> int:
        """Return the number of jobs that wait or run."""
        return self._held

    async def run(
        self, job: Callable[[], T], *, timeout_s: float, gone: Callable[[], Coroutine[Any, Any, object]] | None = None
    ) -> T:
        """Return what a job returns, once a thread has run it.

        Args:
            job: Called in a thread.
            timeout_s: After which the caller waits no longer; a job that runs by then ends, for nobody.
            gone: Returns when the client has gone away; a job that has not begun is then dropped.

        Raises:
            Refusal: 503 if the queue is full or the time is over; 499 if the client has gone away.
        """
        future = self._submit(job)
        answer = asyncio.wrap_future(future)
        waits: set[asyncio.Future[Any]] = {answer} if gone is None else {answer, asyncio.ensure_future(gone())}
        try:
            done, _ = await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if answer in done:
                return answer.result()
            if done:
                raise Refusal(499, "client_gone", "the client went away")
            message = f"no answer within {timeout_s:g} s"
            raise Refusal(503, "timeout", message, retry_after_s=self._wait_s())
        finally:
            future.cancel()  # takes effect unless it runs or has run
            for wait in waits:
                wait.cancel()

    def close(self) -> None:
        """End the threads once every accepted job has run."""
        self._pool.shutdown(wait=True)

    def _submit(self, job: Callable[[], T]) -> Future[T]:
        with self._lock:
            if self._held >= self.most:
                raise Refusal(503, "queue_full", "the queue is full; try again soon", retry_after_s=self._wait_s())
            self._held += 1
        try:
            future = self._pool.submit(self._timed, job)
        except RuntimeError:  # closed
            self._free(None)
            raise Refusal(503, "stopping", "the service stops", retry_after_s=self._wait_s()) from None
        future.add_done_callback(self._free)
        return future

    def _timed(self, job: Callable[[], T]) -> T:
        start = perf_counter()
        try:
            return job()
        finally:
            self._mean_s += _WEIGHT * (perf_counter() - start - self._mean_s)

    def _free(self, _: Future[T] | None) -> None:
        with self._lock:
            self._held -= 1

    def _wait_s(self) -> int:
        """Return the whole seconds in which the jobs held now should be done."""
        return max(1, ceil(self._held * self._mean_s / self._workers))
