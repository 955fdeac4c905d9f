"""The report of a training: the bar on stderr, TensorBoard, and who writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tiny_training import QUICK, run

from depthrt.engine.errors import BackendUnavailable
from depthrt.finetune.training.log import read_log
from depthrt.finetune.training.progress import Reporter


def test_a_missing_tensorboard_is_named(tmp_path: Path) -> None:
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        with pytest.raises(BackendUnavailable, match="pip install tensorboard, or train without it"):
            run(tmp_path, replace(QUICK, tensorboard=True))
    else:
        run(tmp_path, replace(QUICK, steps=1, tensorboard=True))
        assert list((tmp_path / "tensorboard").iterdir())


def test_the_time_left_is_known_if_a_step_takes_minutes(tmp_path: Path) -> None:
    reporter = Reporter(tmp_path, steps=50, start=0, tensorboard=False, writes=False, shows=True)
    now = 0.0
    reporter._bar.get_time = lambda: now
    reporter._bar.start_task(reporter._task)
    for step in range(1, 4):
        now += 120
        reporter._bar.update(reporter._task, completed=step)
    assert reporter._bar.tasks[0].time_remaining == 47 * 120


def test_a_process_that_does_not_write_leaves_no_file(tmp_path: Path) -> None:
    with Reporter(tmp_path, steps=2, start=0, tensorboard=True, writes=False, shows=False) as reporter:
        reporter.report("step", 1, {"loss": 1.0})
        reporter.note(1, "text")
    assert list(tmp_path.iterdir()) == [] and read_log(tmp_path) == []


def test_what_is_shown_goes_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Reporter(tmp_path, steps=2, start=0, tensorboard=False, writes=True, shows=True) as reporter:
        reporter.report("step", 1, {"loss": 0.123456})
        reporter.report("validation", 1, {"abs_rel": 0.5})
        reporter.note(1, "a note")
    shown = capsys.readouterr()
    assert shown.out == ""
    for text in ("1/2", "loss 0.1235", "validation after step 1: abs_rel 0.5", "a note"):
        assert text in shown.err
    assert [line.event for line in read_log(tmp_path)] == ["step", "validation", "note"]
