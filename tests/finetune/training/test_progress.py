"""The log and the bar of a training: what they hold, and how a log of another program or a crash is treated."""

from __future__ import annotations

import errno
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_training import QUICK, Scores, run

from depthrt.engine.errors import BackendUnavailable, InputError
from depthrt.finetune.training.progress import LOG_NAME, Reporter, read_log


def test_the_log_is_one_json_object_a_line(tmp_path: Path) -> None:
    run(tmp_path, replace(QUICK, steps=4), validation=Scores([0.5]))
    lines = [json.loads(line) for line in (tmp_path / LOG_NAME).read_text().splitlines()]
    assert [line["event"] for line in lines] == ["step"] * 4 + ["validation"]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 4]
    assert {"loss", "affine", "scaled", "grad_norm", "rate", "images_per_s"} <= set(lines[0])
    assert lines[0]["rate"] > 0, "the first rates are small, not 0"


def test_a_figure_that_is_not_finite_is_null_in_the_log(tmp_path: Path) -> None:
    run(tmp_path, replace(QUICK, steps=4), validation=Scores([math.nan]))
    assert read_log(tmp_path)[-1]["error"] is None
    assert "NaN" not in (tmp_path / LOG_NAME).read_text()


@pytest.mark.parametrize(
    "foreign", ['{"epoch": 1}', "[1, 2}", '{"step": "1"}', '{"step": 7, "loss": 1}\n', "notes of mine\n2024 loss 3\n"]
)
def test_the_log_of_another_program_is_left_alone(tmp_path: Path, foreign: str) -> None:
    (tmp_path / LOG_NAME).write_text(foreign)
    with pytest.raises(InputError, match="is not the log of a training; choose another folder"):
        run(tmp_path, replace(QUICK, steps=1))
    assert (tmp_path / LOG_NAME).read_text() == foreign


def test_a_log_is_shortened_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, replace(QUICK, steps=2))
    path = tmp_path / LOG_NAME
    path.write_text(path.read_text() + '{"event": "step", "st')  # a crash amid a line
    before = path.read_bytes()

    def full(self: Path, text: str, *, encoding: str) -> int:
        with self.open("w", encoding=encoding) as file:
            file.write(text[:20])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(InputError, match=r"log\.jsonl cannot be written: No space left on device"):
            run(tmp_path, replace(QUICK, steps=3), resume=True)
    assert path.read_bytes() == before
    run(tmp_path, replace(QUICK, steps=3), resume=True)
    assert [line["step"] for line in read_log(tmp_path)] == [1, 2, 3]


def test_a_log_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / LOG_NAME).mkdir()
    with pytest.raises(InputError, match=r"log\.jsonl cannot be written: Is a directory; check the disk"):
        run(tmp_path, replace(QUICK, steps=1))


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
    assert [line["event"] for line in read_log(tmp_path)] == ["step", "validation", "note"]
