"""Results and talk: which stream each goes to, and what an encoding that lacks a character gets."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path

import pytest
from made_terminal import make_terminal

from depthrt.cli.show.printing import log_as_talk, print_result, print_table, say


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


HOSTILE = "a\x1b[31mred\x07\nerror: all is lost\x9b2J\u202e.png"
HARMLESS = r"a\x1b[31mred\x07\nerror: all is lost\x9b2J\u202e.png"


def test_brackets_are_no_markup_and_control_characters_are_escaped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for write in (print_result, say):
        write("[bold]a[/bold].png")
        write(HOSTILE)
    assert capsys.readouterr() == (f"[bold]a[/bold].png\n{HARMLESS}\n",) * 2
    terminal = make_terminal(monkeypatch, "stdout")
    print_result(HOSTILE)
    assert terminal.getvalue() == f"{HARMLESS}\n"


def test_warnings_of_the_package_are_talk(capsys: pytest.CaptureFixture[str]) -> None:
    with log_as_talk():
        logging.getLogger("depthrt").warning("%s cannot be used", "a\x1b[31m.json")
    assert r"a\x1b[31m.json cannot be used" in capsys.readouterr().err
    assert logging.getLogger("depthrt").handlers == []


def test_a_text_of_lines_keeps_its_line_breaks_only(capsys: pytest.CaptureFixture[str]) -> None:
    print_result("a\nb\x1b", lines=True)
    assert capsys.readouterr().out == "a\nb\\x1b\n"


def test_a_table_escapes_its_cells_title_and_caption(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.table import Table

    table = Table(title="t\x1b[31m", caption="c\x07")
    table.add_column("model")
    table.add_row("a\x1b[31m\nb")
    print_table(table)
    out = capsys.readouterr().out
    assert r"t\x1b" in out and r"c\x07" in out and r"a\x1b" in out and "\x1b" not in out and "\x07" not in out


def test_a_closed_standard_output_takes_a_result_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    print_result("depth/a.png")
    assert capsys.readouterr().err == ""
