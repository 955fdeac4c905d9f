"""The log of a training: what it holds, strict reading, and what happens after a crash."""

from __future__ import annotations

import errno
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hostile_values import HOSTILE
from tiny_training import QUICK, Scores, run

from depthrt.engine.errors import InputError
from depthrt.finetune.training.log import LOG_NAME, LogLine, append_line, drop_later, read_log

STEP = '{"event": "step", "step": 1, "elapsed_s": 0.5, "loss": 2.5}'
NOTE = '{"event": "note", "step": 1, "text": "two processes"}'


def test_the_log_is_one_json_object_a_line(tmp_path: Path) -> None:
    run(tmp_path, replace(QUICK, steps=4), validation=Scores([0.5]))
    lines = [json.loads(line) for line in (tmp_path / LOG_NAME).read_text().splitlines()]
    assert [line["event"] for line in lines] == ["step"] * 4 + ["validation"]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 4]
    assert {"loss", "affine", "scaled", "grad_norm", "rate", "images_per_s"} <= set(lines[0])
    assert lines[0]["rate"] > 0, "the first rates are small, not 0"


def test_a_figure_that_is_not_finite_is_null_in_the_log(tmp_path: Path) -> None:
    run(tmp_path, replace(QUICK, steps=4), validation=Scores([math.nan]))
    assert read_log(tmp_path)[-1].figures["error"] is None
    assert "NaN" not in (tmp_path / LOG_NAME).read_text()


@pytest.mark.parametrize(
    ("foreign", "message"),
    [
        ('{"epoch": 1}', r"line 1\.elapsed_s is missing; choose another folder"),
        ("[1, 2}", r"line 1 is not JSON \(.*\); choose another folder"),
        ("[1, 2]", "line 1 is not a JSON object; choose another folder"),
        ('{"step": "1"}', r"line 1\.elapsed_s is missing; choose another folder"),
        ('{"step": 7, "loss": 1}\n', r"line 1\.elapsed_s is missing; choose another folder"),
        ("notes of mine\n2024 loss 3\n", "line 1 is not JSON"),
        (f"{STEP}\n{NOTE}\nnull\n", "line 3 is not a JSON object"),
        (STEP.replace('"step": 1', '"step": "1"'), r"line 1\.step is '1', expected a whole number from 0 to"),
        (STEP.replace('"step": 1', '"step": -1'), r"line 1\.step is -1, expected a whole number from 0 to"),
        (STEP.replace("0.5", "-0.5"), r"line 1\.elapsed_s is -0\.5, expected a finite number of 0 or more"),
        (STEP.replace("2.5", '"low"'), r"line 1, loss\.value is 'low', expected a finite number or null"),
        (STEP.replace("2.5", "NaN"), r"line 1 is not JSON \(NaN is not a JSON number\)"),
        (
            STEP.replace('{"event": "step"', '{"event": "epoch"'),
            r"line 1\.event is 'epoch', expected one of step, valid",
        ),
        (NOTE.replace('"text"', '"texts"'), r"line 1\.texts is an unknown key, and text is missing"),
        ("\udcff\n", "cannot be read .*utf-8.*; choose another folder"),
    ],
)
def test_the_log_of_another_program_is_left_alone(tmp_path: Path, foreign: str, message: str) -> None:
    content = foreign.encode("utf-8", "surrogateescape")
    (tmp_path / LOG_NAME).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        run(tmp_path, replace(QUICK, steps=1))
    assert "\n" not in str(caught.value)
    assert (tmp_path / LOG_NAME).read_bytes() == content


@pytest.mark.parametrize("line", [STEP, NOTE])
def test_no_key_of_a_line_takes_a_hostile_value_but_a_figure_null_and_numbers(tmp_path: Path, line: str) -> None:
    good = json.loads(line)
    legal: dict[str, tuple[object, ...]] = {
        "loss": (None, -1.0, 0.5, 2.5, 1e308, 5e-324, -1, 0, 2**31),
        "elapsed_s": (0.5, 2.5, 1e308, 5e-324, 0, 2**31),
        "step": (0, 2**31),
        "text": ("", " ", "x", "1", "null", "NaN", "x" * 300, "../../mine"),
    }
    for key in good:
        for value in HOSTILE:
            (tmp_path / LOG_NAME).write_text(json.dumps({**good, key: value}) + "\n")
            if any(type(value) is type(other) and value == other for other in legal.get(key, ())):
                read_log(tmp_path)
                continue
            message = r"is not the log of a training: line 1.*; choose another folder$"
            with pytest.raises(InputError, match=message) as caught:
                read_log(tmp_path)
            assert "\n" not in str(caught.value)


def test_lines_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert read_log(tmp_path) == []
    (tmp_path / LOG_NAME).write_text(f"{STEP}\n{NOTE}\n")
    append_line(tmp_path / LOG_NAME, {"event": "validation", "step": 2, "elapsed_s": 1, "error": None})
    assert read_log(tmp_path) == [
        LogLine("step", 1, 0.5, {"loss": 2.5}),
        LogLine("note", 1, text="two processes"),
        LogLine("validation", 2, 1.0, {"error": None}),
    ]


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
    assert [line.step for line in read_log(tmp_path)] == [1, 2, 3]


def test_a_log_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / LOG_NAME).mkdir()
    with pytest.raises(InputError, match=r"log\.jsonl cannot be written: Is a directory; check the disk"):
        run(tmp_path, replace(QUICK, steps=1))


def test_lines_of_steps_that_are_repeated_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / LOG_NAME
    drop_later(path, 3)  # without a log
    assert not path.exists()
    lines = [STEP.replace('"step": 1', f'"step": {step}') for step in range(1, 6)] + [NOTE.replace("1", "4")]
    path.write_text("".join(f"{line}\n" for line in lines) + '{"event": "val')  # cut short by a crash
    drop_later(path, 3)
    assert path.read_text() == "".join(f"{line}\n" for line in lines[:3])
