"""Signals end a program alike, ask a recording to end, and are left alone by the library."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

import depthrt
from depthrt.engine.system.process.signals import ENDING, ends_by_signals, exit_code, signal_name, stopped_by_signals

PATIENCE_S = 10


@pytest.fixture(autouse=True)
def _plain_handlers() -> Iterator[None]:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler  # as conftest sets it
    before = {number: signal.signal(number, signal.SIG_DFL) for number in ENDING if number != signal.SIGINT}
    yield
    assert all(signal.getsignal(number) == signal.SIG_DFL for number in before)
    for number, handler in before.items():
        signal.signal(number, handler)


def test_ctrl_c_stops_the_block_and_interrupts_at_its_end() -> None:
    seen: list[str] = []
    with pytest.raises(KeyboardInterrupt), stopped_by_signals(lambda: seen.append("stop")):
        signal.raise_signal(signal.SIGINT)
        seen.append("goes on")
    assert seen == ["stop", "goes on"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_interrupts_at_once() -> None:
    seen: list[str] = []
    with pytest.raises(KeyboardInterrupt), stopped_by_signals(lambda: seen.append("stop")):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        seen.append("goes on")
    assert seen == ["stop"]


def test_without_ctrl_c_nothing_is_raised_and_the_handler_comes_back() -> None:
    with stopped_by_signals(lambda: None):
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_of_the_block_passes_unless_ctrl_c_was_pressed() -> None:
    with pytest.raises(ValueError, match="mine"), stopped_by_signals(lambda: None):
        raise ValueError("mine")


def test_nothing_changes_without_something_to_stop() -> None:
    with stopped_by_signals(None):
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_program_stays() -> None:
    heard: list[int] = []

    def own(number: int, frame: object) -> None:
        heard.append(number)

    before = signal.signal(signal.SIGINT, own)
    try:
        with stopped_by_signals(lambda: pytest.fail("the program's handler was replaced")):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]


def test_other_threads_than_the_main_one_run_the_block_as_it_is() -> None:
    reached: list[bool] = []

    def work() -> None:
        with stopped_by_signals(lambda: None):
            reached.append(signal.getsignal(signal.SIGINT) is signal.default_int_handler)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(PATIENCE_S)
    assert reached == [True]


@pytest.mark.parametrize(
    ("number", "code", "name"), [("SIGINT", 130, "Ctrl-C"), ("SIGTERM", 143, "SIGTERM"), ("SIGHUP", 129, "SIGHUP")]
)
def test_each_signal_interrupts_a_program_and_has_its_exit_code(number: str, code: int, name: str) -> None:
    if not hasattr(signal, number):
        pytest.skip("Windows has no SIGHUP")
    with pytest.raises(KeyboardInterrupt), ends_by_signals():
        signal.raise_signal(getattr(signal, number))
    assert (exit_code(), signal_name()) == (code, name)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_further_signals_do_not_disturb_the_end_and_work_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    cleaned: list[str] = []
    with pytest.raises(KeyboardInterrupt), ends_by_signals():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            for number in ENDING:
                signal.raise_signal(number)
            cleaned.append("whole")
            later_s = time.monotonic() + 60
            monkeypatch.setattr("depthrt.engine.system.process.signals.monotonic", lambda: later_s)
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
    assert cleaned == ["whole"] and exit_code() == 130


def test_signals_that_are_ignored_or_have_a_handler_stay_so() -> None:
    heard: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    ignored = ENDING[-1]
    before = signal.signal(ignored, signal.SIG_IGN)  # as nohup does with SIGHUP
    try:
        with ends_by_signals(), stopped_by_signals(lambda: pytest.fail("stopped")):
            for number in {signal.SIGTERM, ignored}:
                signal.raise_signal(number)
    finally:
        signal.signal(ignored, before)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    assert heard == ([] if ignored == signal.SIGTERM else [signal.SIGTERM])


def test_a_program_of_another_thread_leaves_signals_alone() -> None:
    seen: list[object] = []

    def work() -> None:
        with ends_by_signals():
            seen.extend(signal.getsignal(number) for number in ENDING)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(PATIENCE_S)
    assert seen == [signal.default_int_handler, *[signal.SIG_DFL] * (len(ENDING) - 1)]


def test_sigterm_stops_a_recording_which_ends_even_if_it_comes_twice() -> None:
    seen: list[str] = []
    with pytest.raises(KeyboardInterrupt), ends_by_signals(), stopped_by_signals(lambda: seen.append("stop")):
        for number in (signal.SIGTERM, ENDING[-1]):
            signal.raise_signal(number)
        seen.append("whole")
    assert seen == ["stop", "whole"] and exit_code() == 143


def test_the_library_installs_no_handler(model: depthrt.DepthModel) -> None:
    model.infer(np.zeros((40, 60, 3), np.uint8))
    list(model.stream([np.zeros((40, 60, 3), np.uint8)]))
    assert [signal.getsignal(number) for number in ENDING[1:]] == [signal.SIG_DFL] * (len(ENDING) - 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_of_a_program_dies_of_sigterm_as_any_other() -> None:
    with ends_by_signals():
        child = os.fork()
        if child == 0:
            try:
                time.sleep(PATIENCE_S)
            finally:
                os._exit(7)
        time.sleep(0.2)
        os.kill(child, signal.SIGTERM)
        _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGTERM
