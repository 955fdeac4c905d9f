"""A slot holds the newest item: what is taken is never older than the pause between two items."""

from __future__ import annotations

from collections import deque
from threading import Thread
from time import monotonic

import numpy as np

from depthrt.engine.run.latest.slot import Slot, Taken

MINUTES, PERIOD_S, BUSY_S = 10, 1 / 30, 0.2071  # of a camera at 30 Hz and a consumer just below 5 Hz


def simulated_ages_s(*, newest: bool) -> np.ndarray:
    """Return the age of each answer, in simulated time, of a slot or of the queue that keeps every frame."""
    slot: Slot[float] = Slot()
    queue: deque[float] = deque()
    ages, now_s, number = [], 0.0, 0
    while now_s < 60 * MINUTES:
        while number * PERIOD_S <= now_s:
            slot.put(number * PERIOD_S)
            queue.append(number * PERIOD_S)
            number += 1
        taken = slot.take(0)
        if taken is None:
            now_s = number * PERIOD_S
            continue
        now_s += BUSY_S
        ages.append(now_s - (taken.item if newest else queue.popleft()))
    return np.array(ages)


def test_ten_minutes_at_30_hz_with_a_consumer_at_5_hz_stay_below_a_frame_and_an_inference() -> None:
    ages_s = simulated_ages_s(newest=True)
    assert len(ages_s) > 2800
    assert np.percentile(ages_s, 99) < PERIOD_S + BUSY_S
    assert ages_s.max() < PERIOD_S + BUSY_S + 1e-6, "sums of floats aside"
    first, last = ages_s[:300], ages_s[-300:]
    assert abs(np.median(first) - np.median(last)) < PERIOD_S
    queued_s = simulated_ages_s(newest=False)
    assert queued_s[-1] > 100 * ages_s.max(), "a queue that keeps every frame"


def test_a_new_item_replaces_one_that_nobody_took_and_it_is_counted() -> None:
    slot: Slot[int] = Slot()
    assert slot.take(0) is None
    for number in range(5):
        slot.put(number)
    assert slot.take(0) == Taken(4, 4)
    assert slot.take(0) is None
    slot.put(5)
    assert slot.take(None) == Taken(5, 0)
    assert (slot.received, slot.skipped) == (6, 4)


def test_the_item_that_is_held_can_be_taken_after_the_end_and_nothing_else() -> None:
    slot: Slot[int] = Slot()
    slot.put(1)
    slot.end()
    slot.put(2)
    assert slot.take(None) == Taken(1, 0)
    assert slot.take(None) is None and slot.ended and slot.wait_end(0)


def test_who_waits_is_woken_by_an_item_and_by_the_end() -> None:
    slot: Slot[int] = Slot()
    found: list[Taken[int] | None] = []

    def take_twice() -> None:
        found.extend((slot.take(None), slot.take(None)))

    thread = Thread(target=take_twice)
    thread.start()
    slot.put(1)
    slot.end()
    thread.join(10)
    assert not thread.is_alive() and found == [Taken(1, 0), None]


def test_a_wait_ends_in_its_time() -> None:
    slot: Slot[int] = Slot()
    start_s = monotonic()
    assert slot.take(0.05) is None and not slot.wait_end(0.05)
    assert 0.1 <= monotonic() - start_s < 5
