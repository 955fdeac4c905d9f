"""Results as text that every file and terminal takes."""

from __future__ import annotations

import json
from pathlib import Path

from depthrt.bench.numbers.printable import printable, write_json
from depthrt.bench.numbers.result import Picture


def test_names_that_are_no_utf_8_become_text_and_all_else_stays() -> None:
    name = "caf\udce9"
    shown = r"caf\udce9"
    assert printable(Picture(name, "café", b"\xe9")) == Picture(shown, "café", b"\xe9")
    assert printable({name: (name, [1.5, None])}) == {shown: (shown, [1.5, None])}
    write_json("x.json", {"model": name})
    assert json.loads(Path("x.json").read_text(encoding="utf-8")) == {"model": shown}
