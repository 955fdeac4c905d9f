"""JSON of other programs is read within limits; each fault is one line that names the file and the field."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from depthrt.engine.errors import ModelFileError
from depthrt.engine.system.field_types import Count
from depthrt.export import foreign_json
from depthrt.export.foreign_json import read_known, read_object


@dataclass(frozen=True)
class Inner:
    side: Count = 14
    name: str = "dinov2"


@dataclass(frozen=True)
class Outer:
    kind: str
    inner: Inner = Inner()
    scale: float | None = 0.5


def written(folder: Path, text: str) -> Path:
    (folder / "config.json").write_text(text)
    return folder / "config.json"


def test_an_object_is_read(tmp_path: Path) -> None:
    assert read_object(written(tmp_path, '{"a": [1, 2.5, null], "b": {"c": "d"}}')) == {
        "a": [1, 2.5, None],
        "b": {"c": "d"},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"is not JSON \(Expecting value"),
        ("{", r"is not JSON \("),
        ("[1]", "is not a JSON object"),
        ('"text"', "is not a JSON object"),
        ('{"a": NaN}', r"is not JSON \(NaN is not a JSON number\)"),
        ('{"a": -Infinity}', "-Infinity is not a JSON number"),
        ('{"a": 1, "a": 2}', "a key stands twice in an object"),
        (f'{{"a": {"9" * 5000}}}', "an integer has 5000 digits"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "is JSON that is nested too deeply"),
        ('{"a": ' * 100_000 + "1" + "}" * 100_000, "is JSON that is nested too deeply"),
    ],
    ids=["empty", "cut", "list", "text", "NaN", "Infinity", "twice", "huge", "deep list", "deep object"],
)
def test_a_file_that_is_not_an_object_is_refused_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ModelFileError, match=message) as caught:
        read_object(path)
    assert str(caught.value).startswith(f"{path} ") and "\n" not in str(caught.value)
    assert "correct it or download it again" in str(caught.value)


def test_bytes_that_are_no_text_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b'{"a": "\xff\xfe"}')
    with pytest.raises(ModelFileError, match=r"config\.json is not JSON \('utf-8' codec can't decode"):
        read_object(tmp_path / "config.json")


def test_a_file_of_any_size_is_not_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_json, "MOST_BYTES", 10)
    assert read_object(written(tmp_path, '{"a": 123}')) == {"a": 123}
    with pytest.raises(ModelFileError, match=r"config\.json has 11 bytes, expected at most 10; correct it"):
        read_object(written(tmp_path, '{"a": 1234}'))


def test_unknown_keys_are_ignored_and_missing_ones_take_the_defaults() -> None:
    assert read_known(Outer, {"kind": "a"}, name="config") == Outer("a")
    found = {"kind": "a", "new_in_release_7": [1], "inner": {"side": 16, "dropout": 0.1}, "scale": None}
    assert read_known(Outer, found, name="config") == Outer("a", Inner(16), None)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([], "config is a list of 0, expected an object; correct it or download it again"),
        ({}, "config.kind is missing; correct it or download it again"),
        ({"kind": 3}, "config.kind is 3, expected text; correct it or download it again"),
        ({"kind": "a", "inner": None}, "config.inner is null, expected an object; "),
        ({"kind": "a", "inner": {"side": 0}}, "config.inner.side is 0, expected a whole number from 1 to "),
        ({"kind": "a", "inner": {"side": True}}, "config.inner.side is true, expected a whole number"),
        ({"kind": "a", "inner": {"side": 14.0}}, "config.inner.side is 14.0, expected a whole number"),
        ({"kind": "a", "scale": "1"}, "config.scale is '1', expected a finite number or null"),
        ({"kind": "a", "scale": float("inf")}, "config.scale is inf, expected a finite number or null"),
    ],
)
def test_a_wrong_value_names_the_field(found: object, message: str) -> None:
    with pytest.raises(ModelFileError) as caught:
        read_known(Outer, found, name="config")
    assert str(caught.value).startswith(message)
