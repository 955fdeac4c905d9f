"""Results and talk: which stream each goes to, and what an encoding that lacks a character gets."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from made_terminal import make_terminal

from depthrt.cli.show.printing import PIPE_WIDTH, print_lines, print_result, print_table, say


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


def test_a_text_of_lines_keeps_its_line_breaks_only(capsys: pytest.CaptureFixture[str]) -> None:
    print_result("a\nb\x1b", lines=True)
    assert capsys.readouterr().out == "a\nb\\x1b\n"


@pytest.mark.parametrize("columns", [200, 20], ids=["table", "blocks"])
def test_a_table_escapes_its_cells_title_and_caption(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = make_terminal(monkeypatch, "stdout", columns=columns)
    print_table(["model", "b\x07"], [["a\x1b[31m\nb" + 9 * " long", "\x9b2J"]], title="t\x1b[31m", note="c\x07")
    print_lines(["d\x1b[31m\ne"])
    out = terminal.getvalue()
    for word in (r"t\x1b", r"c\x07", r"a\x1b", r"b\x07", r"\x9b2J", r"d\x1b[31m\ne"):
        assert word in out
    assert "\x1b[31m" not in out and "\x07" not in out and "\x9b" not in out


def test_a_closed_standard_output_takes_a_result_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    print_result("depth/a.png")
    assert capsys.readouterr().err == ""


COLUMNS_OF = ("subject", "precision", "p50", "speed", "drift", "")
ROWS = (
    ("depth_anything_v2_vits.pth torch fp32 cpu", "fp32", "411 ms", "1.00×", "–", "baseline"),
    ("vits-bf16 [new].onnx openvino", "bf16, computed in bf16", "205 ms", "2.0×", "0.400 %", "fastest in budget"),
)
WORDS = ("precision", "")
TITLE = "vits-bf16 [new].onnx openvino is the fastest within a drift of 1 %: 205 ms from image array to depth array."
NOTE = "p50 and p90: host. Speed: turn by turn against depth_anything_v2_vits.pth torch fp32 cpu."


def table(columns: int | None, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Print the table to a terminal of so many columns, or to a pipe."""
    terminal = None if columns is None else make_terminal(patch, "stdout", columns=columns)
    print_table(COLUMNS_OF, ROWS, title=TITLE, note=NOTE, words=WORDS, marked=1)
    return capsys.readouterr().out if terminal is None else terminal.shown()


@pytest.mark.parametrize("columns", [None, 200, 120, 80, 60, 40, 20])
def test_no_word_of_a_table_is_broken_at_any_width(
    columns: int | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = table(columns, monkeypatch, capsys)
    found = set(printed.replace("│", " ").replace("┃", " ").split())
    wanted = {
        word
        for text in (*COLUMNS_OF[1:], TITLE, NOTE, *(cell for row in ROWS for cell in row))
        for word in text.split()
    }
    assert wanted <= found
    longest = max(map(len, wanted)) + 12  # a heading before it
    assert all(len(line) <= max(columns or PIPE_WIDTH, longest) for line in printed.splitlines())


@pytest.mark.parametrize(("columns", "blocks"), [(200, False), (120, False), (80, False), (60, True), (40, True)])
def test_a_table_that_does_not_fit_has_a_block_for_each_row(
    columns: int, blocks: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = table(columns, monkeypatch, capsys)
    assert ("│" not in printed) == blocks
    if blocks:
        lines = printed.splitlines()
        assert any(line.split() == ["speed", "2.0×"] for line in lines)
        assert [line for line in lines if line.startswith(ROWS[0][0][:20])]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
def test_a_table_is_printed_in_every_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)  # strict, as standard output is
    monkeypatch.setattr(sys, "stdout", stream)
    rows = [("δ1 → caf\udce9.onnx ×", "–", "1 · 2", "1.00×", "…", "日本")]
    print_table(COLUMNS_OF, rows, title="2× as fast – δ1", note="a → b", words=WORDS)
    stream.flush()
    printed = raw.getvalue().decode(encoding)
    assert "1.00" in printed and ("1.00x" in printed) == (encoding == "ascii")
    if encoding != "utf-8":
        assert "2500" not in printed  # the lines of the table are drawn in letters, not escaped
        assert "delta1" in printed


def test_lines_are_broken_between_words_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "  image array to depth array p50 411 ms -> 205 ms: -50.1 % (95 % -52.0 % to -48.3 %) (no clear change)"
    print_lines([line, "short"])
    assert capsys.readouterr().out == f"{line}\nshort\n"
    terminal = make_terminal(monkeypatch, "stdout", columns=60)
    print_lines([line, "short", ""])
    first, *more, short, empty = terminal.shown().splitlines()
    assert all(len(one) <= 60 for one in (first, *more)) and (short, empty) == ("short", "")
    assert first.startswith("  image") and all(one.startswith("      ") for one in more)
    assert " ".join(part.strip() for part in (first, *more)) == line.strip()


def test_a_row_is_marked_on_a_terminal_and_not_in_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    print_table(COLUMNS_OF, ROWS, marked=1)
    assert "\x1b" not in capsys.readouterr().out
    terminal = make_terminal(monkeypatch, "stdout", columns=200)
    print_table(COLUMNS_OF, ROWS, marked=1)
    assert "\x1b[1m" in terminal.getvalue()


def test_a_table_on_a_closed_standard_output_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    print_table(COLUMNS_OF, ROWS, title=TITLE)
    print_lines(["a"])
