"""Reports the progress of a build that blocks in TensorRT, and stops it on Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Any, TypeVar

from ...terms import OnStep
from ..library import TensorRT

_LOOK_S = 0.2  # on Windows a wait without a timeout does not see Ctrl-C

T = TypeVar("T")


def new_monitor(trt: TensorRT, on_step: OnStep) -> Any:  # noqa: ANN401
    """Return TensorRT's progress monitor that calls on_step, and whose cancel() ends the build at the next step."""
    base: Any = trt.module.IProgressMonitor

    class Monitor(base):  # type: ignore[misc]
        def __init__(self) -> None:
            base.__init__(self)
            self.error: BaseException | None = None
            self._cancelled = False
            self._wanted: dict[str, int] = {}

        def cancel(self) -> None:
            self._cancelled = True

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            self._wanted[phase_name] = num_steps
            self._tell(phase_name, 0)

        def step_complete(self, phase_name: str, step: int) -> bool:
            self._tell(phase_name, step + 1)
            return not self._cancelled

        def phase_finish(self, phase_name: str) -> None:
            pass

        def _tell(self, phase: str, done: int) -> None:
            if self._cancelled:
                return
            try:
                on_step(phase, done, self._wanted.get(phase, done))
            except BaseException as error:  # it must not pass through TensorRT; build_engine raises it
                self.error, self._cancelled = error, True

    return Monitor()


def run_interruptible(call: Callable[[], T], cancel: Callable[[], None]) -> T:
    """Run `call` in another thread and return its result; blocks.

    Ctrl-C calls `cancel`, waits until `call` returns, and raises KeyboardInterrupt; a second Ctrl-C does not wait.

    Args:
        call: Its exceptions are raised here.
        cancel: Makes `call` return soon; called from the waiting thread.
    """
    done = Event()
    results: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:  # raised again in the waiting thread
            errors.append(error)
        finally:
            done.set()

    # A daemon, so that a second Ctrl-C ends the program even if the library continues.
    worker = Thread(target=work, name="depthrt-build", daemon=True)
    try:
        worker.start()
        _wait(done)
    except BaseException:
        cancel()
        if worker.ident is not None:  # else the thread did not start
            _wait(done)
        raise
    if errors:
        raise errors[0]
    return results[0]


def _wait(done: Event) -> None:
    while not done.wait(_LOOK_S):
        pass
