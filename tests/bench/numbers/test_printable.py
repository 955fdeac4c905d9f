"""Results as text that every file and terminal takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from depthrt.bench.numbers.printable import printable, write_json
from depthrt.bench.numbers.result import Picture, Tile
from depthrt.engine.errors import InputError


def test_names_that_are_no_utf_8_become_text_and_all_else_stays(tmp_path: Path) -> None:
    name = "caf\udce9"
    shown = r"caf\udce9"
    assert printable(Picture(name, "café", b"\xe9")) == Picture(shown, "café", b"\xe9")
    assert printable({name: (name, [1.5, None])}) == {shown: (shown, [1.5, None])}
    write_json(tmp_path / "x.json", {"model": name})
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == {"model": shown}


@pytest.mark.parametrize("found", ["café", 3, 1.5, None, True, b"\xe9", (), [], {}, Tile("a", 0, 0, 8, 8, 0.1), Tile])
def test_what_is_printable_stays_equal_and_of_its_type(found: object) -> None:
    copy = printable(found)
    assert copy == found and type(copy) is type(found)


def test_texts_are_found_at_every_depth() -> None:
    bad, good = "\udce9", r"\udce9"
    found: dict[str, list[Any]] = {bad: [(bad, {"a": [bad]}), Tile(bad, 0, 0, 8, 8, 0.1)]}
    assert printable(found) == {good: [(good, {"a": [good]}), Tile(good, 0, 0, 8, 8, 0.1)]}
    assert found[bad][0][0] == bad  # the given one stays as it was


def test_json_comes_back(tmp_path: Path) -> None:
    found = {"a": [1, 2.5, None, "é"], "b": {"c": True}}
    write_json(tmp_path / "x.json", found)
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8")) == found


def test_what_json_cannot_hold_leaves_the_old_file(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"a": 1})
    with pytest.raises(TypeError):
        write_json(tmp_path / "x.json", {"a": object()})
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="create it first"):
        write_json(tmp_path / "none" / "x.json", {})
