"""`depthrt finetune augment`: what it parses, prints and refuses, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from drawn_room import write_hypersim_rooms
from run_verb import run

from depthrt.finetune.augment import augment as module
from depthrt.finetune.augment.augment import Augmented
from depthrt.finetune.augment.options import Options


def test_a_folder_of_rooms_is_augmented(tmp_path: Path) -> None:
    rooms = write_hypersim_rooms(tmp_path / "rooms", 2)
    result = run("finetune", "augment", rooms, "-o", tmp_path / "d", "--kinds", "art", "--preview", "1", "--jobs", "1")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [f"{tmp_path / 'd'}: 2 frames", str(tmp_path / "d" / "manifest.jsonl")]
    assert "standard camera" in result.stderr
    assert len(list((tmp_path / "d" / "preview").rglob("*.jpg"))) == 1


def test_options_reach_the_library_and_failures_the_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []

    def augment(
        source: str,
        folder: Path,
        options: Options,
        *,
        units_per_m: float,
        jobs: int | None,
        previews: int,
        on_progress: Callable[[int, int], None],
    ) -> Augmented:
        calls.extend([source, options, units_per_m, jobs, previews])
        on_progress(1, 2)
        return Augmented(folder / "manifest.jsonl", 1, (("b", "it is damaged"),), ("a note",))

    monkeypatch.setattr(module, "augment", augment)
    arguments = ("--copies", 2, "--seed", 5, "--depth-units", 256, "--pictures", tmp_path, "--jobs", 3)
    result = run("finetune", "augment", "set", "-o", tmp_path, "--kinds", "mirror=1,art=3", *arguments)
    assert result.exit_code == 1
    assert calls == ["set", Options((0.25, 0.75, 0.0), 2, 5, tmp_path), 256.0, 3, 0]
    assert "note: a note" in result.stderr and "failed: b: it is damaged" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere", "-o", "d"), "does not exist"),
        (("nowhere", "-o", "d", "--kinds", "posters"), "'posters' found"),
        ((".", "-o", "d", "--copies", "0"), "copies"),
        ((".",), "Missing option"),
    ],
)
def test_wrong_arguments_are_one_line(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("finetune", "augment", *arguments)
    assert result.exit_code in (1, 2) and words in result.stderr
    assert not (tmp_path / "d").exists()


def test_help_does_not_speak_of_the_study() -> None:
    assert "study" not in run("finetune", "augment", "--help").stdout
