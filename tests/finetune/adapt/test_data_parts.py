"""Data sets of a training are split together by scene; shares and held-out data sets are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_mirror_rooms import write_rooms

from depthrt.engine.errors import InputError
from depthrt.finetune.adapt.data_parts import DataPart, open_parts
from depthrt.finetune.adapt.plan import Wishes

PLAIN = Wishes()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two data sets; the second has some of the first one's scenes."""
    folder = tmp_path_factory.mktemp("two")
    return [write_rooms(folder / "rooms", 6), write_rooms(folder / "marked", 4, seed=1)]


def opened(datasets: list[Path], *held_out: Path, wishes: Wishes = PLAIN) -> tuple[DataPart, ...]:
    return open_parts(datasets, held_out, wishes, units_per_m=1000.0)


def scenes(parts: tuple[DataPart, ...], *, held_out: bool) -> set[str]:
    return {pair.scene for part in parts for pair in (part.held_out if held_out else part.pairs)}


@pytest.mark.parametrize("seed", range(6))
def test_no_scene_of_two_data_sets_is_on_both_sides(two: list[Path], seed: int) -> None:
    parts = opened(two, wishes=Wishes(seed=seed))
    assert scenes(parts, held_out=True) and not scenes(parts, held_out=True) & scenes(parts, held_out=False)
    assert sum(len(part.pairs) + len(part.held_out) for part in parts) == 20
    assert [part.mixed.share for part in parts] == [len(part.pairs) for part in parts]


def test_folds_hold_out_each_scene_once(two: list[Path]) -> None:
    held = [scenes(opened(two, wishes=Wishes(fold=(number, 6))), held_out=True) for number in range(1, 7)]
    assert all(len(found) == 1 for found in held) and len(set[str]().union(*held)) == 6


def test_another_data_set_can_be_held_out_and_shares_be_given(two: list[Path]) -> None:
    parts = opened(two[:1], two[1], wishes=Wishes(mix=(3.0,)))
    assert [(len(part.pairs), len(part.held_out), part.mixed.share) for part in parts] == [(12, 0, 3.0), (0, 8, 0.0)]


def test_nothing_is_held_out_of_a_single_scene(tmp_path: Path) -> None:
    (part,) = opened([write_rooms(tmp_path / "single", 1)])
    assert (len(part.pairs), part.held_out) == (2, ())


def test_shares_must_be_as_many_as_data_sets(two: list[Path]) -> None:
    with pytest.raises(InputError, match="1 shares for 2 data sets found, expected one for each data set"):
        opened(two, wishes=Wishes(mix=(1.0,)))
