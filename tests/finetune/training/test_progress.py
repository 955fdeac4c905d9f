"""The report of a training: the bar on stderr, TensorBoard, and who writes."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_training import QUICK, Brightness, run

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


def test_figures_go_to_mlflow_if_it_is_installed_and_its_address_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The names that mlflow 3.17 has; the true one was run once, and brings a web server and 20 more packages.
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "mlflow.py").write_text(
        "seen = []\n"
        "def start_run(run_name): seen.append(('start', run_name))\n"
        "def log_metrics(metrics, step): seen.append((step, metrics))\n"
        "def end_run(status): seen.append((status,))\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "packages")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "file:///nowhere")
    monkeypatch.delitem(sys.modules, "mlflow", raising=False)
    run(tmp_path / "course", replace(QUICK, steps=2, validate_every=2), validation=Brightness())
    seen = sys.modules.pop("mlflow").seen
    assert seen[0] == ("start", "course") and seen[-1] == ("FINISHED",)
    steps = [step for step, figures in seen[1:-1] if "step.loss" in figures]
    assert steps == [1, 2] and "validation.error" in seen[-2][1]
    monkeypatch.setitem(sys.modules, "mlflow", None)
    run(tmp_path / "without", replace(QUICK, steps=1))
    (note,) = [line.text for line in read_log(tmp_path / "without") if line.event == "note"]
    assert note == "MLFLOW_TRACKING_URI is set and mlflow is not installed, so figures go to log.jsonl only"
