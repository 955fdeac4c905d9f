"""Works of one stage: what fails is named in one line, and the others go on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from depthrt.bench.subjects.stage import StageResult, failure_of, failures_of, measure_each
from depthrt.engine.errors import InputError


def raising(error: Exception) -> Callable[[], float]:
    def work() -> float:
        raise error

    return work


def test_a_subject_that_fails_gets_a_note_and_the_others_their_figures() -> None:
    works: dict[str, Callable[[], float | None]] = {
        "a": lambda: 2.0,
        "b": raising(RuntimeError("the counter is gone")),
        "c": lambda: None,
        "d": lambda: 0.0,
    }
    found = measure_each(works, figure="energy")
    assert found == StageResult({"a": 2.0, "d": 0.0}, notes={"b": ("no energy: RuntimeError: the counter is gone",)})


def test_works_are_done_in_order_after_a_failure_too() -> None:
    done: list[str] = []
    failures = failures_of(
        {"a": lambda: done.append("a"), "b": raising(OSError("disk")), "c": lambda: done.append("c")}
    )
    assert done == ["a", "c"] and failures == {"b": "OSError: disk"}


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (InputError("rounds 1 found,\n expected 2"), "rounds 1 found, expected 2"),
        (ValueError("out of\n\tmemory"), "ValueError: out of memory"),
        (KeyError("scale"), "KeyError: 'scale'"),
    ],
)
def test_an_error_is_one_line_with_its_type_unless_it_is_depthrt_s(error: Exception, line: str) -> None:
    assert failure_of(error) == line


def test_ctrl_c_is_not_a_failure() -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        failures_of({"a": stop})
