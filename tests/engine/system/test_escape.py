"""Control characters are escaped, and nothing else is changed."""

from __future__ import annotations

import json
import sys
import unicodedata
from pathlib import Path

import pytest

from depthrt.engine.system.escape import escaped


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("größer 深度 🙂 [bold]", "größer 深度 🙂 [bold]"),
        ("a\x1b[31mred\x07", r"a\x1b[31mred\x07"),
        ("a\nERROR\r\tb", r"a\nERROR\r\tb"),
        ("\x9b2J\x85", r"\x9b2J\x85"),
        ("photo\u202egpj.exe", r"photo\u202egpj.exe"),
        ("a\u2028b", r"a\u2028b"),
        ("caf\udce9", "caf\udce9"),
        (Path("a\n.png"), r"a\n.png"),
    ],
)
def test_control_characters_are_escaped(text: object, printed: str) -> None:
    assert escaped(text) == printed


def test_no_control_character_is_left() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    assert {letter for letter in escaped(every) if unicodedata.category(letter) in ("Cc", "Zl", "Zp")} == set()


def test_a_text_of_lines_keeps_them() -> None:
    assert escaped("a\nb\x1b", keep="\n") == "a\nb\\x1b"


def test_json_stays_json() -> None:
    found = {"name": "".join(map(chr, range(256)))}
    assert json.loads(escaped(json.dumps(found))) == found
