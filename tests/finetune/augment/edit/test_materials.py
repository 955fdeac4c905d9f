"""Edits are described as they were done."""

from __future__ import annotations

from edited_rooms import edited

SEEDS = range(10)


def test_edits_are_described() -> None:
    edits = [edit for seed in SEEDS for edit in edited("art", seed)[2]]
    assert {edit.what for edit in edits} == {"art"}
    assert {edit.of_scene for edit in edits} == {True, False}
    assert {edit.framed for edit in edits} == {True, False}
    assert len({edit.shape for edit in edits}) > 1 and len({edit.style for edit in edits}) > 2
    assert all(edit.source == "other" and edit.pixels["art"] >= 24 for edit in edits)
