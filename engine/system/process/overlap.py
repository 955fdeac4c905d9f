"""Three stages over many items, overlapped: while an item runs, the next is read and the one before is written."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from os import getpid
from typing import Generic, TypeVar

from ...errors import InputError

Item = TypeVar("Item")
Read = TypeVar("Read")
Ran = TypeVar("Ran")
Written = TypeVar("Written")

AHEAD = 2  # number of items that are read ahead, and of results that wait to be written


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Item, Written]):
    """Result of an item, or the error that a stage raised for it; the other is None."""

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
    """Yield an Outcome per item, in order.

    `read` runs in a thread, `run` in the caller's thread, `write` in a third. An Exception of a stage is the outcome of
    its item, and the other items go on. After a KeyboardInterrupt, the outcomes of items that have run come before it.
    """
    source, process = iter(items), getpid()
    with ThreadPoolExecutor(1, "depthrt-read") as reader, ThreadPoolExecutor(1, "depthrt-write") as writer:
        reading = deque((item, reader.submit(read, item)) for item in islice(source, AHEAD))
        writing: deque[tuple[Item, Future[Written]]] = deque()
        try:
            while reading:
                _check_process(process)
                item, future = reading.popleft()
                reading.extend((later, reader.submit(read, later)) for later in islice(source, 1))
                writing.append((item, _run_item(future, run, write, writer)))
                if len(writing) > AHEAD:
                    yield _first(writing)
            while writing:
                _check_process(process)
                yield _first(writing)
        except KeyboardInterrupt:  # what is being written becomes whole, and the caller hears of it
            while writing:
                yield _first(writing)
            raise
        finally:  # also if the caller stops early: start no further item
            for _, left in reading:
                left.cancel()


def run_ahead(items: Iterable[Item], run: Callable[[Item], Ran]) -> Generator[Ran, None, None]:
    """Yield run(item) per item, in order; `run` works in a thread, `items` is iterated in the caller's thread.

    At most one further item is taken before an answer is yielded: with each more, a camera's answers would come a frame
    later. An error of `items` or of `run` ends the iteration.
    """
    process = getpid()
    with ThreadPoolExecutor(1, "depthrt-run") as runner:
        running: deque[Future[Ran]] = deque()
        try:
            for item in items:
                _check_process(process)
                running.append(runner.submit(run, item))
                while len(running) > 1 or (running and running[0].done()):
                    yield running.popleft().result()
                    _check_process(process)
            while running:
                yield running.popleft().result()
                _check_process(process)
        finally:  # also if the caller stops early, and after an error: start no further item
            for left in running:
                left.cancel()


def _check_process(begun_in: int) -> None:
    """Raise InputError in a forked child, where the threads do not run and their answers would never come."""
    if getpid() != begun_in:
        raise InputError(
            "this stream was begun in another process, and its threads do not survive a fork; begin it again here"
        )


def _run_item(
    future: Future[Read], run: Callable[[Read], Ran], write: Callable[[Ran], Written], writer: ThreadPoolExecutor
) -> Future[Written]:
    """Run an item that was read and hand it to the writer; an error goes into the future that is returned."""
    try:
        ran = run(future.result())
    except Exception as error:
        failed: Future[Written] = Future()
        failed.set_exception(error)
        return failed
    return writer.submit(write, ran)


def _first(writing: deque[tuple[Item, Future[Written]]]) -> Outcome[Item, Written]:
    """Wait for the outcome of the first item and take it out; an interrupt while it waits leaves it there."""
    outcome = _outcome(*writing[0])
    writing.popleft()
    return outcome


def _outcome(item: Item, future: Future[Written]) -> Outcome[Item, Written]:
    error = future.exception()
    if error is None:
        return Outcome(item, future.result(), None)
    if not isinstance(error, Exception):
        raise error
    return Outcome(item, None, error)
