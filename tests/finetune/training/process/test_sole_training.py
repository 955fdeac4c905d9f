"""A folder is held for one training at a time, and free again after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthrt.engine.errors import InputError
from depthrt.finetune.training.process.sole_training import sole_training


def test_a_held_folder_refuses_another_training_until_the_first_ends(tmp_path: Path) -> None:
    with sole_training(tmp_path) as held:
        assert held
        with pytest.raises(InputError, match=r"another training runs in .*; wait for its end, or choose another"):
            sole_training(tmp_path).__enter__()
    with sole_training(tmp_path) as held:
        assert held


def test_a_process_for_which_another_holds_the_folder_asks_for_nothing(tmp_path: Path) -> None:
    with sole_training(tmp_path), sole_training(tmp_path, holds=False) as held:
        assert held


def test_a_disk_without_locks_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("No locks available")

    monkeypatch.setattr("depthrt.finetune.training.process.sole_training.file_lock", refuse)
    with sole_training(tmp_path) as held:
        assert not held
