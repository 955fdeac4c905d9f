"""Jobs run in turn, and those that find no place are told so at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from depthrt.serve.queue.work_queue import WorkQueue
from depthrt.serve.refusal import Refusal

LONG_S = 30.0
WAIT_S = 5.0  # after which a test that failed lets its threads end


@pytest.fixture
def queue() -> Iterator[WorkQueue]:
    found = WorkQueue(workers=1, waiting=1)
    yield found
    found.close()


def test_a_job_answers_and_leaves(queue: WorkQueue) -> None:
    assert asyncio.run(queue.run(lambda: 7, timeout_s=LONG_S)) == 7
    assert queue.held == 0


def test_the_error_of_a_job_reaches_its_caller(queue: WorkQueue) -> None:
    def fail() -> None:
        raise KeyError("a")

    with pytest.raises(KeyError):
        asyncio.run(queue.run(fail, timeout_s=LONG_S))
    assert queue.held == 0


def test_a_full_queue_refuses_and_keeps_what_it_accepted(queue: WorkQueue) -> None:
    async def fill() -> list[object]:
        go = threading.Event()
        accepted = [
            asyncio.ensure_future(queue.run(partial(go.wait, WAIT_S), timeout_s=LONG_S)) for _ in range(queue.most)
        ]
        await asyncio.sleep(0.05)
        with pytest.raises(Refusal) as caught:
            await queue.run(partial(go.wait, WAIT_S), timeout_s=LONG_S)
        assert (caught.value.status, caught.value.code) == (503, "queue_full") and caught.value.retry_after_s
        go.set()
        return list(await asyncio.gather(*accepted))

    assert asyncio.run(fill()) == [True, True]
    assert queue.held == 0


def test_a_caller_waits_no_longer_than_its_time(queue: WorkQueue) -> None:
    async def wait() -> None:
        go = threading.Event()
        running = asyncio.ensure_future(queue.run(partial(go.wait, WAIT_S), timeout_s=LONG_S))
        await asyncio.sleep(0.05)
        ran: list[int] = []
        with pytest.raises(Refusal) as caught:
            await queue.run(lambda: ran.append(1), timeout_s=0.05)
        assert caught.value.code == "timeout"
        assert queue.held == 1, "the job that had not begun is dropped"
        go.set()
        await running
        assert ran == []

    asyncio.run(wait())


def test_the_job_of_a_client_that_went_away_is_dropped(queue: WorkQueue) -> None:
    async def leave() -> None:
        go = threading.Event()
        running = asyncio.ensure_future(queue.run(partial(go.wait, WAIT_S), timeout_s=LONG_S))
        await asyncio.sleep(0.05)
        with pytest.raises(Refusal) as caught:
            await queue.run(lambda: 1, timeout_s=LONG_S, gone=lambda: asyncio.sleep(0.01))
        assert caught.value.status == 499 and queue.held == 1
        go.set()
        await running

    asyncio.run(leave())


def test_closing_ends_accepted_jobs_and_refuses_others(queue: WorkQueue) -> None:
    async def close() -> bool:
        go = threading.Event()
        accepted = asyncio.ensure_future(queue.run(partial(go.wait, WAIT_S), timeout_s=LONG_S))
        await asyncio.sleep(0.05)
        threading.Timer(0.05, go.set).start()
        await asyncio.to_thread(queue.close)
        with pytest.raises(Refusal) as caught:
            await queue.run(lambda: 1, timeout_s=LONG_S)
        assert caught.value.code == "stopping"
        return await accepted

    assert asyncio.run(close())
    assert queue.held == 0
