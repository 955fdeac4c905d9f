"""Direction and colours are judged on rooms of exact depth; a network too weak to tell colours apart passes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from depthrt.engine.modelfile.contract import read_contract
from depthrt.engine.modelfile.shipped import model_path
from depthrt.engine.terms import Kind
from depthrt.export.adopt.probes.asked import ask
from depthrt.export.adopt.probes.meaning import probe_colours, probe_direction
from depthrt.export.adopt.probes.rooms import read_rooms

ROOMS = read_rooms()
DEFAULT = model_path("default")
CONTRACT = replace(read_contract(DEFAULT), format=2)


def exact(*, nearness: bool) -> list[np.ndarray]:
    """Return the exact depth of the rooms at the size of their images, or one over it."""
    far_m = [np.where(room.known, room.depth_m, 1e3) for room in ROOMS]
    return [np.repeat(np.repeat(1 / depth if nearness else depth, 4, axis=0), 4, axis=1) for depth in far_m]


@pytest.mark.parametrize(
    ("kind", "nearness", "passed"),
    [("inverse", True, True), ("inverse", False, False), ("affine", False, True), ("metric", True, False)],
)
def test_the_direction_is_that_of_the_kind(kind: Kind, nearness: bool, passed: bool) -> None:
    found = probe_direction(replace(CONTRACT, kind=kind), ROOMS, exact(nearness=nearness))
    assert found.passed is passed
    assert found.figures["agreement"] == pytest.approx(1 if passed else -1)


def test_answers_that_are_no_depth_have_no_direction() -> None:
    noise = np.random.default_rng(0).uniform(size=(len(ROOMS), 240, 320)).astype(np.float32)
    found = probe_direction(CONTRACT, ROOMS, list(noise))
    assert not found.passed and "its answers are not depth" in found.sentence


def test_colours_that_are_not_those_of_the_training_are_named() -> None:
    with ask(DEFAULT, CONTRACT) as asked:
        found = probe_colours(asked.under(replace(CONTRACT, mean=(0.0,) * 3, std=(1.0,) * 3)), ROOMS)
    assert not found.passed and found.figures["gain"] > 0.1
    assert found.sentence.endswith("with ImageNet's colours; give --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225")
