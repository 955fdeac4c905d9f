from __future__ import annotations

import logging
from pathlib import Path

import pytest

from depthrt.engine.system.cache.folder import cache_dir, cache_root, known_dir


def test_the_variable_names_the_folder_which_is_created_on_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / "a" / "b"))
    assert cache_root() == tmp_path / "a" / "b" and not (tmp_path / "a").exists()
    assert cache_dir("made") == tmp_path / "a" / "b" / "made"
    assert (tmp_path / "a" / "b" / "made").is_dir() and cache_dir("made") == cache_dir("made")


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {}, ".cache/depthrt"),
        ("linux", {"XDG_CACHE_HOME": "{home}/elsewhere"}, "elsewhere/depthrt"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, ".cache/depthrt"),
        ("linux", {"DEPTHRT_CACHE": "~/mine"}, "mine"),
        ("linux", {"DEPTHRT_CACHE": ""}, ".cache/depthrt"),
        ("linux", {"DEPTHRT_CACHE": "  "}, ".cache/depthrt"),
        ("darwin", {}, "Library/Caches/depthrt"),
        ("win32", {}, "AppData/Local/depthrt"),
        ("win32", {"LOCALAPPDATA": "{home}/local"}, "local/depthrt"),
    ],
)
def test_without_it_the_system_has_a_place(
    platform: str, variables: dict[str, str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DEPTHRT_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(home=tmp_path))
    monkeypatch.setattr("sys.platform", platform)
    assert cache_root() == tmp_path / expected


def test_a_cache_that_the_system_does_not_look_into_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / ("x" * 300)))
    assert known_dir("verdicts") is None and cache_dir("verdicts") is None


def test_a_cache_that_cannot_be_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / "file"))
    with caplog.at_level(logging.WARNING, logger="depthrt"):
        assert cache_dir("made") is None and cache_dir("made") is None
    (said,) = [record.getMessage() for record in caplog.records]
    assert "cannot be written" in said and "DEPTHRT_CACHE" in said and "\n" not in said
