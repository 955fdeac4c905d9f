"""Progress on standard error: bars on a terminal, a line for each step elsewhere."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from made_terminal import make_terminal

from depthrt.cli.show.progress import counted, progress_bar, say_model, steps, titled
from depthrt.engine.modelfile.shipped import DEFAULT_NOTE


@pytest.mark.parametrize(("notes", "lines"), [((), 1), ((DEFAULT_NOTE,), 2), (("a note of another kind",), 1)])
def test_the_model_that_runs_is_said_and_that_the_default_is_a_demonstration(
    notes: tuple[str, ...], lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    runner = SimpleNamespace(precision="fp16", name="tensorrt", provider="cuda")
    model: Any = SimpleNamespace(contract=SimpleNamespace(model="made"), runner=runner, notes=notes)
    say_model(model)
    said = ["made fp16 on tensorrt, cuda", DEFAULT_NOTE][:lines]
    assert capsys.readouterr() == ("", "".join(f"{line}\n" for line in said))


def test_a_log_gets_a_line_for_each_step(capsys: pytest.CaptureFixture[str]) -> None:
    with steps() as on_step:
        on_step("run 1: up to blocks.2")
        on_step("run 2: up to [head]")
    assert capsys.readouterr() == ("", "run 1: up to blocks.2 ...\nrun 2: up to [head] ...\n")


def test_a_log_gets_a_line_for_each_title_but_not_for_each_of_its_steps(capsys: pytest.CaptureFixture[str]) -> None:
    with titled() as on_step:
        for done in range(3):
            on_step("times", done, 3)
        on_step("drift", 0, 1)
        on_step("times", 3, 3)
    assert capsys.readouterr() == ("", "times ...\ndrift ...\n")


def test_titles_with_few_steps_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with titled(least_steps=10) as on_step:
        on_step("Cloning", 0, 9)
        on_step("Optimizing graph", 0, 10)
    assert capsys.readouterr().err == "Optimizing graph ...\n"


def test_a_log_gets_nothing_of_a_count(capsys: pytest.CaptureFixture[str]) -> None:
    with counted("scenes") as on_progress:
        on_progress(1, 4)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_the_count_of_the_latest_title(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = make_terminal(monkeypatch, "stderr")
    with titled() as on_step:
        on_step("loading", 0, 1)
        on_step("times [host]", 7, 30)
    *_, last = filter(None, map(str.rstrip, terminal.shown().replace("\r", "\n").splitlines()))
    assert last.startswith("times [host] ") and "7/30" in last and len(last) <= 80
    assert "times [host] ..." not in terminal.shown()
    final_frame = terminal.getvalue().rpartition("\x1b[2K")[2]
    assert "times [host]" in final_frame and "loading" not in final_frame
    assert all("/" not in line for line in terminal.shown().splitlines() if line.startswith("loading"))


def test_a_terminal_shows_a_count_that_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = make_terminal(monkeypatch, "stderr")
    with counted("scenes") as on_progress:
        on_progress(1, 4)
        on_progress(4, 4)
    assert "scenes" in terminal.shown() and "4/4" in terminal.shown()


def test_a_terminal_shows_the_current_step_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, result = (make_terminal(monkeypatch, stream) for stream in ("stderr", "stdout"))
    with steps() as on_step:
        on_step("run 1: up to blocks.2")
    assert "run 1: up to blocks.2 ..." in terminal.shown() and result.getvalue() == ""


def test_a_log_beside_a_terminal_gets_a_line_for_each_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = make_terminal(monkeypatch, "stdout")
    with steps() as on_step:
        on_step("run 1: up to blocks.2")
    with counted("scenes") as on_progress:
        on_progress(1, 4)
    assert capsys.readouterr().err == "run 1: up to blocks.2 ...\n" and result.getvalue() == ""


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_bars_have_no_colours_where_the_user_wants_none(
    no_color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = make_terminal(monkeypatch, "stderr")
    monkeypatch.setenv("NO_COLOR", no_color)
    with counted("scenes") as on_progress:
        on_progress(1, 4)
    assert terminal.is_coloured() == coloured


@pytest.mark.parametrize(("stdout", "redirected"), [("terminal", True), ("pipe", False), ("closed", False)])
def test_only_a_terminal_s_standard_output_is_led_around_the_bar(
    stdout: str, redirected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_terminal(monkeypatch, "stderr")
    if stdout == "terminal":
        make_terminal(monkeypatch, "stdout")
    elif stdout == "closed":
        monkeypatch.setattr("sys.stdout", None)
    before = sys.stdout
    with progress_bar():
        assert (sys.stdout is not before) == redirected
    assert sys.stdout is before
