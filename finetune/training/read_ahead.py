"""Makes the next batches in threads while a step is computed; order and numbers stay those of the source."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import torch

from ..data.batches import Batch, BatchSource


class ReadAhead:
    """A source that makes the batches after the last one asked for, as a context manager.

    Args:
        source: Makes the batches; its `batch` is called from threads.
        stride: Difference between the numbers of two batches in a row.
        threads: Number of batches made at once.
    """

    def __init__(self, source: BatchSource, *, stride: int = 1, threads: int = 2) -> None:
        self._source, self._stride, self._ahead = source, stride, 2 * threads
        # The arithmetic of a batch is small, and the step needs the cores.
        self._pool = ThreadPoolExecutor(threads, "read-ahead", initializer=torch.set_num_threads, initargs=(1,))
        self._made: dict[int, Future[Batch]] = {}

    def __enter__(self) -> ReadAhead:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def batch(self, index: int) -> Batch:
        """Return batch number `index` and start the batches after it."""
        self._made = {number: made for number, made in self._made.items() if number >= index}
        for number in range(index, index + self._stride * self._ahead, self._stride):
            if number not in self._made:
                self._made[number] = self._pool.submit(self._source.batch, number)
        return self._made.pop(index).result()
