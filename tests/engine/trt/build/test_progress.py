"""A build that blocks in a library reports its steps, and Ctrl-C stops it."""

from __future__ import annotations

import signal
import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from depthrt.engine.trt.build import progress
from depthrt.engine.trt.build.progress import new_monitor, run_interruptible
from depthrt.engine.trt.library import TensorRT

PATIENCE_S = 30
Step = tuple[str, int, int]


class Monitor:
    """TensorRT's base class, as its Python API documents it."""


def monitor(steps: list[Step], *, fails_at: int = -1) -> Any:  # noqa: ANN401 (TensorRT has no types)
    def on_step(title: str, done: int, wanted: int) -> None:
        if len(steps) == fails_at:
            raise ValueError("the caller failed")
        steps.append((title, done, wanted))

    return new_monitor(TensorRT(SimpleNamespace(IProgressMonitor=Monitor), "tensorrt-rtx", None), on_step)


def test_each_phase_is_reported_with_the_number_of_its_steps() -> None:
    steps: list[Step] = []
    found = monitor(steps)
    assert issubclass(type(found), Monitor)
    found.phase_start("parse", None, 2)
    assert found.step_complete("parse", 0) and found.step_complete("parse", 1)
    found.phase_start("inner", "parse", 1)
    found.phase_finish("parse")
    assert steps == [("parse", 0, 2), ("parse", 1, 2), ("parse", 2, 2), ("inner", 0, 1)]


def test_a_cancelled_build_ends_at_the_next_step_and_reports_none() -> None:
    steps: list[Step] = []
    found = monitor(steps)
    found.phase_start("build", None, 9)
    found.cancel()
    assert not found.step_complete("build", 3)
    assert steps == [("build", 0, 9)] and found.error is None


def test_an_error_of_the_caller_is_kept_and_cancels() -> None:
    steps: list[Step] = []
    found = monitor(steps, fails_at=1)
    found.phase_start("build", None, 9)
    assert not found.step_complete("build", 0) and not found.step_complete("build", 1)
    assert isinstance(found.error, ValueError) and len(steps) == 1


def test_the_result_and_the_error_come_from_the_other_thread() -> None:
    here = threading.get_ident()
    assert run_interruptible(threading.get_ident, lambda: None) != here

    def fail() -> None:
        raise ValueError("in the thread")

    with pytest.raises(ValueError, match="in the thread"):
        run_interruptible(fail, lambda: None)


@pytest.mark.parametrize(("starts", "error"), [(True, KeyboardInterrupt), (False, RuntimeError)])
def test_an_interrupted_or_failed_start_of_the_thread_leaves_no_call_behind(
    starts: bool, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled, ended = threading.Event(), threading.Event()

    class Worker(threading.Thread):
        def start(self) -> None:
            if starts:
                super().start()
            raise error

    def call() -> None:
        assert cancelled.wait(PATIENCE_S)
        ended.set()

    monkeypatch.setattr(progress, "Thread", Worker)
    with pytest.raises(error):
        run_interruptible(call, cancelled.set)
    assert cancelled.is_set() and ended.is_set() == starts


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal to send to oneself")
def test_ctrl_c_cancels_and_waits_for_the_call() -> None:
    cancelled, ended = threading.Event(), threading.Event()

    def call() -> None:
        signal.raise_signal(signal.SIGINT)  # Python handles it in the main thread, which waits
        assert cancelled.wait(PATIENCE_S)
        ended.set()

    with pytest.raises(KeyboardInterrupt):
        run_interruptible(call, cancelled.set)
    assert ended.is_set()
