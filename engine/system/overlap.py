"""Stages over many items, overlapped: while one item runs, the next is read and, for files, the last written."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

Item = TypeVar("Item")
Read = TypeVar("Read")
Ran = TypeVar("Ran")
Written = TypeVar("Written")

AHEAD = 2  # items read before they are needed, and results still being written


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Item, Written]):
    """What became of one item: `result`, or the `error` that a stage raised."""

    item: Item
    result: Written | None
    error: Exception | None


def overlap(
    items: Iterable[Item],
    *,
    read: Callable[[Item], Read],
    run: Callable[[Read], Ran],
    write: Callable[[Ran], Written],
) -> Generator[Outcome[Item, Written], None, None]:
    """Yield an Outcome for every item, in order.

    `read` runs in one thread, `run` in the caller's, `write` in another. An item whose stage raises
    an Exception yields its error and the rest goes on.
    """
    source = iter(items)
    with ThreadPoolExecutor(1, "depthrt-read") as reader, ThreadPoolExecutor(1, "depthrt-write") as writer:
        reading = deque((item, reader.submit(read, item)) for item in islice(source, AHEAD))
        writing: deque[tuple[Item, Future[Written]]] = deque()
        try:
            while reading:
                item, future = reading.popleft()
                reading.extend((later, reader.submit(read, later)) for later in islice(source, 1))
                writing.append((item, _run_one(future, run, write, writer)))
                if len(writing) > AHEAD:
                    yield _outcome(*writing.popleft())
            while writing:
                yield _outcome(*writing.popleft())
        finally:  # the caller stopped early, or Ctrl-C: begin nothing more
            for _, left in reading:
                left.cancel()


def run_ahead(items: Iterable[Item], run: Callable[[Item], Ran]) -> Generator[Ran, None, None]:
    """Yield run(item) for every item, in order; `run` works in a thread, everything else in the caller's.

    When an answer comes, one item more has been taken at most: each further one would be a camera's answer come a
    frame later. An error of `items` or of `run` ends it.
    """
    with ThreadPoolExecutor(1, "depthrt-run") as runner:
        running: deque[Future[Ran]] = deque()
        try:
            for item in items:
                running.append(runner.submit(run, item))
                while len(running) > 1 or (running and running[0].done()):
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:  # the caller stopped early, or an error: begin nothing more
            for left in running:
                left.cancel()


def _run_one(
    future: Future[Read], run: Callable[[Read], Ran], write: Callable[[Ran], Written], writer: ThreadPoolExecutor
) -> Future[Written]:
    """Run what was read and hand it to the writer; an error becomes the future's."""
    try:
        ran = run(future.result())
    except Exception as error:
        failed: Future[Written] = Future()
        failed.set_exception(error)
        return failed
    return writer.submit(write, ran)


def _outcome(item: Item, future: Future[Written]) -> Outcome[Item, Written]:
    error = future.exception()
    if error is None:
        return Outcome(item, future.result(), None)
    if not isinstance(error, Exception):
        raise error
    return Outcome(item, None, error)
