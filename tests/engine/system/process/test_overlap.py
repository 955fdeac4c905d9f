from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from depthrt.engine.system.process.overlap import AHEAD, overlap, run_ahead

PATIENCE_S = 10  # a stage that waits for another waits so long at most


def test_every_item_passes_all_stages_in_order() -> None:
    outcomes = list(overlap(range(20), read=lambda x: x + 1, run=lambda x: x * 10, write=str))
    assert [outcome.result for outcome in outcomes] == [str((number + 1) * 10) for number in range(20)]
    assert [outcome.item for outcome in outcomes] == list(range(20))


@pytest.mark.parametrize("stage", ["read", "run", "write"])
def test_an_error_stays_with_its_item(stage: str) -> None:
    def pick(name: str) -> Callable[[int], int]:
        def work(number: int) -> int:
            if name == stage and number == 3:
                raise ValueError(f"{name} failed")
            return number

        return work

    outcomes = list(overlap(range(6), read=pick("read"), run=pick("run"), write=pick("write")))
    assert [outcome.item for outcome in outcomes if outcome.error] == [3]
    assert str(outcomes[3].error) == f"{stage} failed"
    assert [outcome.result for outcome in outcomes] == [0, 1, 2, None, 4, 5]


def test_the_next_item_is_read_while_one_runs() -> None:
    second_was_read = threading.Event()

    def read(number: int) -> int:
        if number == 1:
            second_was_read.set()
        return number

    def run(number: int) -> bool:
        return second_was_read.wait(PATIENCE_S)

    assert all(outcome.result for outcome in overlap(range(3), read=read, run=run, write=lambda x: x))


def test_the_next_item_runs_while_one_is_written() -> None:
    second_ran = threading.Event()

    def run(number: int) -> int:
        if number == 1:
            second_ran.set()
        return number

    def write(number: int) -> bool:
        return second_ran.wait(PATIENCE_S)

    assert all(outcome.result for outcome in overlap(range(3), read=lambda x: x, run=run, write=write))


def test_reading_stays_only_a_little_ahead() -> None:
    taken = 0

    def endless() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    outcomes = overlap(endless(), read=lambda x: x, run=lambda x: x, write=lambda x: x)
    for _ in range(5):
        next(outcomes)
    outcomes.close()
    assert taken <= 5 + 2 * AHEAD + 1


def test_an_interrupt_in_a_stage_is_not_swallowed() -> None:
    def write(number: int) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(overlap(range(3), read=lambda x: x, run=lambda x: x, write=write))


def test_an_interrupt_yields_what_has_run_before_it_is_raised() -> None:
    def run(number: int) -> int:
        if number == 3:
            raise KeyboardInterrupt
        return number

    def write(number: int) -> int:
        written.append(number)
        return number

    written: list[int] = []
    found: list[int | None] = []
    outcomes = overlap(range(9), read=lambda x: x, run=run, write=write)
    with pytest.raises(KeyboardInterrupt):
        found.extend(outcome.result for outcome in outcomes)
    assert found == written == [0, 1, 2]


@pytest.mark.parametrize("how", ["closed", "interrupted"])
def test_no_further_item_is_read_after_a_stop(how: str) -> None:
    begun: list[int] = []
    gate = threading.Event()

    def read(number: int) -> int:
        begun.append(number)
        if number == AHEAD + 1:
            gate.wait(PATIENCE_S)
        return number

    def run(number: int) -> int:
        if how == "interrupted" and number == AHEAD:
            raise KeyboardInterrupt
        return number

    outcomes = overlap(range(9), read=read, run=run, write=lambda x: x)
    opened = threading.Timer(0.2, gate.set)  # while the generator ends, which waits for the item that is being read
    opened.start()
    if how == "closed":
        next(outcomes)
        outcomes.close()
    else:
        with pytest.raises(KeyboardInterrupt):
            list(outcomes)
    opened.join(PATIENCE_S)
    assert begun[-1] <= AHEAD + 1


def counted(taken: list[int], stop: int) -> Iterator[int]:
    """Yield numbers; `taken` has those that were asked for."""
    for number in range(stop):
        taken.append(number)
        yield number


def test_running_ahead_gives_every_answer_in_order_with_one_item_more_taken_at_most() -> None:
    taken: list[int] = []
    answers = run_ahead(counted(taken, 20), lambda x: x * 10)
    for number, answer in enumerate(answers):
        assert answer == number * 10 and len(taken) <= number + 2
    assert len(taken) == 20


def test_running_ahead_takes_the_next_item_while_one_runs() -> None:
    second_was_taken = threading.Event()

    def items() -> Iterator[int]:
        yield 0
        second_was_taken.set()
        yield 1

    assert list(run_ahead(items(), lambda _: second_was_taken.wait(PATIENCE_S))) == [True, True]


def test_running_ahead_takes_items_in_the_callers_thread() -> None:
    threads: list[str] = []

    def items() -> Iterator[int]:
        for number in range(3):
            threads.append(threading.current_thread().name)
            yield number

    list(run_ahead(items(), lambda x: x))
    assert set(threads) == {threading.current_thread().name}


def test_running_ahead_ends_with_an_error_and_where_the_caller_stops() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise OSError("the camera is gone")

    def run(number: int) -> float:
        return 1 / (2 - number)

    with pytest.raises(OSError, match="the camera is gone"):
        list(run_ahead(items(), lambda x: x))
    with pytest.raises(ZeroDivisionError):
        list(run_ahead(items(), run))
    taken: list[int] = []
    answers = run_ahead(counted(taken, 20), lambda x: x)
    next(answers)
    answers.close()
    assert len(taken) <= 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("depthrt-run")]
