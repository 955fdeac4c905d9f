"""Splits are by scene: no frame of a scene is on both sides, and the same seed gives the same sides."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from depthrt.bench.datasets.manifest import Split
from depthrt.bench.datasets.pair import Pair
from depthrt.engine.errors import InputError
from depthrt.finetune.data.splits import Sides, fold_scenes, leave_one_scene_out, split_scenes


def pair(scene: str, frame: int = 0, split: Split | None = None) -> Pair:
    return Pair(f"{scene}/{frame}", lambda: pytest.fail("read"), scene, split)


def rooms(count: int, frames: int = 3) -> list[Pair]:
    return [pair(f"room {room}", frame) for frame in range(frames) for room in range(count)]


def scenes(pairs: Sequence[Pair]) -> set[str]:
    return {pair.scene for pair in pairs}


def check(sides: Sides, pairs: Sequence[Pair]) -> None:
    """Hold that sides share no scene and together are the pairs, each in order."""
    assert not scenes(sides.train) & scenes(sides.val)
    order = [pair.name for pair in pairs]
    for side in sides:
        names = [pair.name for pair in side]
        assert names == sorted(names, key=order.index)
    assert len(sides.train) + len(sides.val) == len(pairs)


@pytest.mark.parametrize(("count", "validated"), [(2, 1), (3, 1), (5, 1), (10, 2), (54, 11)])
def test_a_fifth_of_the_scenes_is_validated_on_and_one_at_least(count: int, validated: int) -> None:
    for seed in range(5):
        sides = split_scenes(rooms(count), seed=seed)
        check(sides, rooms(count))
        assert len(scenes(sides.val)) == validated


def test_a_seed_has_one_split_whatever_the_order_and_another_seed_another() -> None:
    names = [scenes(split_scenes(rooms(30), seed=seed).val) for seed in (0, 0, 1)]
    assert names[0] == names[1] != names[2]
    assert scenes(split_scenes(rooms(30)[::-1], seed=0).val) == names[0]


def test_a_scene_that_is_added_moves_one_other_at_most() -> None:
    for count in range(2, 40):
        before, after = (scenes(split_scenes(rooms(more), seed=4).val) for more in (count, count + 1))
        assert len(before - after) <= 1


def test_other_shares_are_taken() -> None:
    assert len(scenes(split_scenes(rooms(10), seed=0, shares=(0.5, 0.5)).val)) == 5
    assert split_scenes(rooms(4), seed=0, shares=(1.0, 0.0)).val == ()
    assert split_scenes(rooms(4), seed=0, shares=(0.0, 1.0)).train == ()


def test_a_manifest_s_own_split_wins() -> None:
    given = [pair("a", 0, "train"), pair("a", 1), pair("b", 0, "val"), pair("c", 0, "test"), pair("c", 1), pair("d")]
    for seed in range(5):
        sides = split_scenes(given, seed=seed)
        assert scenes(sides.train) == {"a", "d"} and scenes(sides.val) == {"b"}


def test_what_a_manifest_leaves_open_is_split() -> None:
    sides = split_scenes([pair("a", 0, "train"), *rooms(1)], seed=0)
    assert scenes(sides.train) == {"a"} and scenes(sides.val) == {"room 0"}
    held_out = [pair("c", 0, "test"), *rooms(5)]
    sides = split_scenes(held_out, seed=0)
    assert scenes(held_out) - scenes([*sides.train, *sides.val]) == {"c"}


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([pair("a"), pair("a", 1)], "1 scene found, none of them for val, as a scene is on one side only; add scenes"),
        ([pair("a", 0, "train"), pair("b", 0, "train")], "2 scenes found, none of them for val"),
        ([pair("a", 0, "val")], "1 scene found, none of them for train"),
        ([], "0 scenes found, none of them for train"),
        ([pair("a", 0, "train"), pair("a", 1, "val")], "scene a has pairs of train and of val, expected one split"),
    ],
)
def test_sides_that_cannot_be_are_refused(pairs: Sequence[Pair], message: str) -> None:
    with pytest.raises(InputError, match=message):
        split_scenes(pairs, seed=0)


@pytest.mark.parametrize("shares", [(0.8, 0.3), (1.2, -0.2), (1.0,)])
def test_shares_that_are_no_whole_are_refused(shares: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="expected two numbers that add up to 1"):
        split_scenes(rooms(4), seed=0, shares=shares)


@pytest.mark.parametrize(("count", "folds"), [(10, 5), (7, 3), (4, 4)])
def test_each_scene_is_validated_on_in_one_fold(count: int, folds: int) -> None:
    found = fold_scenes(rooms(count), seed=2, folds=folds)
    for sides in found:
        check(sides, rooms(count))
    assert sorted(scene for sides in found for scene in scenes(sides.val)) == sorted(scenes(rooms(count)))
    sizes = [len(scenes(sides.val)) for sides in found]
    assert max(sizes) - min(sizes) <= 1


def test_each_scene_is_left_out_once() -> None:
    found = dict(leave_one_scene_out([*rooms(3), pair("held out", 0, "test")]))
    assert list(found) == ["room 0", "room 1", "room 2"]
    for scene, sides in found.items():
        assert scenes(sides.val) == {scene} and scenes(sides.train) == scenes(rooms(3)) - {scene}


@pytest.mark.parametrize("folds", [0, 1, 4])
def test_folds_that_lack_scenes_are_refused(folds: int) -> None:
    with pytest.raises(
        InputError, match=f"{folds} folds of 3 scenes found, expected 2 folds or more, each with a scene"
    ):
        fold_scenes(rooms(3), seed=0, folds=folds)
    with pytest.raises(InputError, match="1 scene found, expected two or more, to leave one out"):
        leave_one_scene_out(rooms(1))
