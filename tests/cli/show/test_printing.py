"""Results and talk: which stream each goes to, and what an encoding that lacks a character gets."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from depthrt.cli.show.printing import print_result, say


class Encoded(io.StringIO):
    """A text stream of another encoding."""

    def __init__(self, encoding: str | None) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str | None:  # type: ignore[override]
        return self._encoding


def test_a_result_goes_to_standard_output_and_talk_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(Path("depth/a.png"))
    say("note: slow")
    assert capsys.readouterr() == ("depth/a.png\n", "note: slow\n")


@pytest.mark.parametrize(
    ("encoding", "text", "printed"),
    [
        ("utf-8", "café.png", "café.png"),
        ("utf-8", "caf\udce9.png", r"caf\udce9.png"),  # the byte of a name that is not UTF-8
        ("ascii", "café → 2×", r"caf\xe9 \u2192 2\xd7"),
        ("cp1252", "δ1 2×", r"\u03b41 2×"),
        (None, "café.png", "café.png"),
    ],
)
def test_what_standard_output_cannot_hold_is_escaped(
    encoding: str | None, text: str, printed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = Encoded(encoding)
    monkeypatch.setattr(sys, "stdout", out)
    print_result(text)
    assert out.getvalue() == f"{printed}\n"


def test_brackets_are_no_markup_and_escapes_of_colour_reach_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    for write in (print_result, say):
        write("[bold]a[/bold].png")
        write("a\x1b[31mred.png")
    assert capsys.readouterr() == ("[bold]a[/bold].png\nared.png\n",) * 2


def test_a_closed_standard_output_takes_a_result_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    print_result("depth/a.png")
    assert capsys.readouterr().err == ""
