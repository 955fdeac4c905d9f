"""Negatives are of several sorts, and some frames stay as they are."""

from __future__ import annotations

from edited_rooms import edited

SEEDS = range(10)


def test_negatives_are_of_every_sort_and_some_are_untouched() -> None:
    found = {edit.what for seed in range(16) for edit in edited("negative", seed)[2]}
    assert found == {"screen", "opening", "through"}
    assert any(not edited("negative", seed)[2] for seed in SEEDS)


def test_without_another_frame_no_other_scene_is_shown() -> None:
    assert all(edit.what != "through" for seed in range(6) for edit in edited("negative", seed, alone=True)[2])
