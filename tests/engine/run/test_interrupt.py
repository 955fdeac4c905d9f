"""Ctrl-C asks a block to end, and interrupts once it has."""

from __future__ import annotations

import signal
import threading

import pytest

from depthrt.engine.run.interrupt import stopped_by_ctrl_c

PATIENCE_S = 10


@pytest.fixture(autouse=True)
def _plain_handler() -> None:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler  # as conftest sets it


def test_ctrl_c_stops_the_block_and_interrupts_at_its_end() -> None:
    seen: list[str] = []
    with pytest.raises(KeyboardInterrupt), stopped_by_ctrl_c(lambda: seen.append("stop")):
        signal.raise_signal(signal.SIGINT)
        seen.append("goes on")
    assert seen == ["stop", "goes on"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_interrupts_at_once() -> None:
    seen: list[str] = []
    with pytest.raises(KeyboardInterrupt), stopped_by_ctrl_c(lambda: seen.append("stop")):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        seen.append("goes on")
    assert seen == ["stop"]


def test_without_ctrl_c_nothing_is_raised_and_the_handler_comes_back() -> None:
    with stopped_by_ctrl_c(lambda: None):
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_of_the_block_passes_unless_ctrl_c_was_pressed() -> None:
    with pytest.raises(ValueError, match="mine"), stopped_by_ctrl_c(lambda: None):
        raise ValueError("mine")


def test_nothing_changes_without_something_to_stop() -> None:
    with stopped_by_ctrl_c(None):
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_program_stays() -> None:
    heard: list[int] = []

    def own(number: int, frame: object) -> None:
        heard.append(number)

    before = signal.signal(signal.SIGINT, own)
    try:
        with stopped_by_ctrl_c(lambda: pytest.fail("the program's handler was replaced")):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]


def test_other_threads_than_the_main_one_run_the_block_as_it_is() -> None:
    reached: list[bool] = []

    def work() -> None:
        with stopped_by_ctrl_c(lambda: None):
            reached.append(signal.getsignal(signal.SIGINT) is signal.default_int_handler)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(PATIENCE_S)
    assert reached == [True]
