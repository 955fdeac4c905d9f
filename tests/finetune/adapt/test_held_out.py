"""Validation on held-out pairs: depth, flat regions, and the drift from the starting network."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from made_mirror_rooms import write_rooms
from random_checkpoint import TINY, random_network
from torch import Tensor

from depthrt.bench.datasets.ground_truth import GroundTruth, open_ground_truth
from depthrt.engine.errors import InputError
from depthrt.export.network.depth_anything import DepthAnything
from depthrt.finetune.adapt.held_out import JUDGE, HeldOutSet, PairValidation

ROUND = 0.02  # relative error that the grain of the images leaves


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> GroundTruth:
    return open_ground_truth(write_rooms(tmp_path_factory.mktemp("held") / "rooms", 3))


class Bright(DepthAnything):
    """A network that takes brightness for inverse depth, as the rooms are drawn: right outside their mirrors."""

    def __init__(self, *, max_depth_m: float | None, factor: float = 1.0) -> None:
        super().__init__(TINY, family="depth-anything-v2", max_depth_m=max_depth_m)
        self.factor = factor

    def forward(self, batch: Tensor) -> Tensor:
        mean, std = (torch.tensor(v)[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
        inverse = ((batch * std + mean).mean(1) - 0.025) / 0.8
        return inverse * self.factor if self.max_depth_m is None else self.factor / inverse.clamp(min=0.05)


class Pierced(Bright):
    """A network that sees a corner beyond infinity."""

    def __init__(self, columns: int) -> None:
        super().__init__(max_depth_m=None)
        self.columns = columns

    def forward(self, batch: Tensor) -> Tensor:
        answer = super().forward(batch)
        answer[:, :4, : self.columns] = -0.2
        return answer


def validation(rooms: GroundTruth, most_pairs: int = 64) -> PairValidation:
    return PairValidation([HeldOutSet(rooms.pairs, rooms.cap_m)], side_px=56, unit_px=14, most_pairs=most_pairs)


@pytest.mark.parametrize("max_depth_m", [None, 20.0])
def test_a_network_that_falls_for_mirrors_is_good_outside_and_bent_inside(
    rooms: GroundTruth, max_depth_m: float | None
) -> None:
    found = validation(rooms).measure(Bright(max_depth_m=max_depth_m))
    assert found["outside_abs_rel"] < 5 * ROUND < found["flat_abs_rel"]
    assert found["flat_residual"] > 0.1
    assert found[JUDGE] == found["outside_abs_rel"] + found["flat_residual"]
    assert "drift" not in found


def test_drift_to_infinity_is_finite(rooms: GroundTruth) -> None:
    measured = validation(rooms)
    measured.begin(Pierced(4))
    assert measured.measure(Pierced(5))["drift"] < 0.05


@pytest.mark.parametrize("max_depth_m", [None, 20.0])
def test_drift_is_the_relative_difference_from_the_start(rooms: GroundTruth, max_depth_m: float | None) -> None:
    start, scaled = Bright(max_depth_m=max_depth_m), Bright(max_depth_m=max_depth_m, factor=1.1)
    measured = validation(rooms)
    began = measured.begin(start)
    assert "drift" not in began
    same = measured.measure(start)
    assert same["drift"] < 1e-5 and {name: same[name] for name in began} == began
    # Metres are compared as they are; inverse depth has no scale of its own.
    assert measured.measure(scaled)["drift"] == pytest.approx(0.1 if max_depth_m else 0, rel=1e-3, abs=1e-5)


def test_without_flat_regions_the_judge_is_abs_rel(tmp_path: Path) -> None:
    plain = open_ground_truth(write_rooms(tmp_path / "plain", 2, mirrors=False))
    found = validation(plain).measure(Bright(max_depth_m=20.0))
    assert found[JUDGE] == found["abs_rel"] < ROUND
    assert not [name for name in found if name.startswith(("flat", "outside"))]


def test_only_so_many_pairs_are_read(rooms: GroundTruth) -> None:
    every, few = (validation(rooms, most_pairs=count).measure(random_network(TINY)) for count in (99, 2))
    assert all(math.isfinite(value) for value in (*every.values(), *few.values()))
    assert every["abs_rel"] != few["abs_rel"]


def test_held_out_pairs_without_depth_in_range_are_named(rooms: GroundTruth) -> None:
    far = PairValidation([HeldOutSet(rooms.pairs, 1e-3)], side_px=56, unit_px=14)
    with pytest.raises(InputError, match="no held-out pair has 10 pixels of depth in range; hold out other scenes"):
        far.measure(random_network(TINY, max_depth_m=20.0))
