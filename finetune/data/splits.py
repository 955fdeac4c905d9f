"""Splits of pairs by scene: no frame of a scene is trained on and validated on.

A scene's place in a split depends on the seed and its name, so that a scene which is added moves at most one other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...bench.datasets.pair import Pair
from ...engine.errors import InputError

SHARES = (0.8, 0.2)


@dataclass(frozen=True, slots=True)
class Sides:
    """The two sides of a split, which have no scene in common.

    Args:
        train, val: Pairs in the order in which they were given.
    """

    train: tuple[Pair, ...]
    val: tuple[Pair, ...]

    def __iter__(self) -> Iterator[tuple[Pair, ...]]:
        return iter((self.train, self.val))


def split_scenes(pairs: Sequence[Pair], *, seed: int, shares: tuple[float, float] = SHARES) -> Sides:
    """Split pairs by scene.

    Pairs that a manifest gives to train or val stay there, with the other pairs of their scenes; those that it gives
    to test are on neither side. If it gives some to val, all others are for training.

    Args:
        pairs: Of one or more data sets; scenes of one name are one scene.
        seed: Of the choice of scenes.
        shares: Of the scenes, for train and val; at least one scene is on each side whose share is above 0.

    Raises:
        InputError: The shares are not two of a whole, the manifest puts a scene on two sides, or a side has no scene.
    """
    if len(shares) != 2 or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
        raise InputError(f"shares {shares} found, expected two numbers that add up to 1, such as 0.8 and 0.2")
    given = _given(pairs)
    free = _shuffled([pair for pair in pairs if pair.scene not in given], seed)
    count = 0 if "val" in given.values() else _val_count(len(free), shares[1], has_train="train" in given.values())
    side_of = {**given, **dict.fromkeys(free, "train"), **dict.fromkeys(free[:count], "val")}
    sides = {side: tuple(pair for pair in pairs if side_of[pair.scene] == side) for side in ("train", "val")}
    for (side, found), share in zip(sides.items(), shares, strict=True):
        if share and not found:
            raise InputError(
                f"{len(side_of)} scene{'s' * (len(side_of) != 1)} found, none of them for {side}, as a scene is on "
                "one side only; add scenes, or give them a split in a manifest"
            )
    return Sides(sides["train"], sides["val"])


def fold_scenes(pairs: Sequence[Pair], *, seed: int, folds: int = 5) -> tuple[Sides, ...]:
    """Return the splits of a cross-validation: each scene is validated on in one of them.

    Args:
        pairs: As for split_scenes; those that a manifest gives to test are left out.
        seed: Of the choice of scenes.
        folds: Number of splits.

    Raises:
        InputError: There are fewer scenes than folds, or fewer than two folds.
    """
    scenes = _shuffled([pair for pair in pairs if pair.split != "test"], seed)
    if not 2 <= folds <= len(scenes):
        raise InputError(f"{folds} folds of {len(scenes)} scenes found, expected 2 folds or more, each with a scene")
    return tuple(_against(pairs, set(scenes[fold::folds])) for fold in range(folds))


def leave_one_scene_out(pairs: Sequence[Pair]) -> Iterator[tuple[str, Sides]]:
    """Yield each scene and the split that validates on it alone, by the names of the scenes.

    Raises:
        InputError: There are fewer than two scenes.
    """
    scenes = sorted({pair.scene for pair in pairs if pair.split != "test"})
    if len(scenes) < 2:
        raise InputError(f"{len(scenes)} scene found, expected two or more, to leave one out")
    return ((scene, _against(pairs, {scene})) for scene in scenes)


def _against(pairs: Sequence[Pair], validated: set[str]) -> Sides:
    used = [pair for pair in pairs if pair.split != "test"]
    return Sides(
        tuple(pair for pair in used if pair.scene not in validated),
        tuple(pair for pair in used if pair.scene in validated),
    )


def _given(pairs: Sequence[Pair]) -> dict[str, str]:
    """Return the side of each scene that a manifest gives to one."""
    given: dict[str, str] = {}
    for pair in pairs:
        if pair.split is not None and given.setdefault(pair.scene, pair.split) != pair.split:
            raise InputError(
                f"scene {pair.scene} has pairs of {given[pair.scene]} and of {pair.split}, expected one split for a "
                "scene; correct the manifest"
            )
    return given


def _val_count(scenes: int, share: float, *, has_train: bool) -> int:
    """Return how many scenes are validated on: the share, but one at least, and one left unless train has some."""
    most = scenes if has_train or share == 1 else scenes - 1
    return min(max(1, round(share * scenes)), most) if share and scenes else 0


def _shuffled(pairs: Sequence[Pair], seed: int) -> list[str]:
    """Return the scenes of pairs in an order that depends on the seed and, for each two of them, on their names."""
    return sorted({pair.scene for pair in pairs}, key=lambda scene: (_place(scene, seed), scene))


def _place(scene: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{scene}".encode("utf-8", "surrogatepass")).digest()
