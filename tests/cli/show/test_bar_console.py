"""Text above a progress bar keeps its lines, and brackets in it are no markup."""

from __future__ import annotations

import sys

import pytest
from made_terminal import make_terminal

from depthrt.cli.show.printing import print_result, say
from depthrt.cli.show.progress import counted

PATH = "[red]photos[/red]/" + "a" * 60 + "/" + "b" * 60 + "/picture [1].png"


@pytest.mark.parametrize("columns", [30, 80])
def test_a_long_path_above_a_bar_stays_on_one_line(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    result, talk = (make_terminal(monkeypatch, stream, columns=columns) for stream in ("stdout", "stderr"))
    with counted("images") as on_image:
        on_image(1, 2)
        say(f"note: {PATH}")
        print_result(PATH)
        assert sys.stderr is not talk  # the bar has it
    shown = [line.rstrip() for line in (talk.shown() + result.shown()).replace("\r", "\n").splitlines()]
    assert f"note: {PATH}" in shown and PATH in shown
    bars = [line for line in shown if line.startswith("images")]
    assert bars and max(map(len, bars)) <= columns
