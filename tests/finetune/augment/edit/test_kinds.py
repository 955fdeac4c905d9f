"""Each kind of edit leaves what it promises: planes where it says flat, true depth where it says window."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from drawn_room import draw_room
from numpy.typing import NDArray

from depthrt.bench.datasets.regions import region
from depthrt.finetune.augment.edit.canvas import Canvas, Image
from depthrt.finetune.augment.edit.kinds import KINDS, Edit, Kind, Materials, apply
from depthrt.finetune.augment.geometry.find_planes import find_planes
from depthrt.finetune.augment.geometry.plane import Box, Float64, Plane
from depthrt.finetune.augment.paint.gallery import Gallery

SIZE_PX = (96, 128)
SEEDS = range(10)
ROUNDING = 1e-12


@cache
def edited(kind: Kind, seed: int, *, alone: bool = False) -> tuple[Canvas, Canvas, tuple[Edit, ...]]:
    """A room before and after edits of a kind."""
    rng = np.random.default_rng(seed)
    room, other = draw_room(*SIZE_PX), draw_room(*SIZE_PX, seed=5)
    before, canvas = (
        Canvas(room.image.copy(), 1 / room.depth_m.astype(np.float64), np.zeros(SIZE_PX, np.uint8), room.camera)
        for _ in range(2)
    )

    def beyond(draws: np.random.Generator) -> tuple[str, Image, Float64] | None:
        return None if alone else ("other", other.image, 1 / other.depth_m.astype(np.float64))

    pictures: list[NDArray[np.uint8]] = [other.image]
    gallery = Gallery(["other"], lambda number: pictures[number])
    materials = Materials(find_planes(canvas.inverse, rng), gallery, None, beyond)
    return before, canvas, apply(kind, canvas, materials, rng)


@pytest.mark.parametrize("kind", KINDS)
def test_changed_depth_is_that_of_the_edits_planes_or_of_a_scene_behind_them(kind: Kind) -> None:
    done = 0
    for seed in SEEDS:
        before, canvas, edits = edited(kind, seed)
        done += len(edits)
        planes = [Plane(*edit.plane).inverse(Box(0, 96, 0, 128)) for edit in edits]
        near = [np.abs(canvas.inverse / plane - 1) < ROUNDING for plane in planes]
        window = region(canvas.regions, "window")
        flat = region(canvas.regions, "mirror") | region(canvas.regions, "art")
        if edits:
            assert np.logical_or.reduce(near)[canvas.changed & ~window].all(), seed
        assert (canvas.inverse == before.inverse)[~canvas.changed].all(), seed
        assert not (flat & window).any() and canvas.changed[flat].all(), seed
        for edit, plane in zip(edits, planes, strict=True):
            if edit.what == "through":
                assert (canvas.inverse < plane)[window & canvas.changed].all(), "behind its frame"
            if edit.what == "opening":
                assert (canvas.inverse == before.inverse)[window].all()
    assert done > len(SEEDS) // 2


def test_negatives_are_of_every_sort_and_some_are_untouched() -> None:
    found = {edit.what for seed in range(16) for edit in edited("negative", seed)[2]}
    assert found == {"screen", "opening", "through"}
    assert any(not edited("negative", seed)[2] for seed in SEEDS)


def test_without_another_frame_no_other_scene_is_shown() -> None:
    assert all(edit.what != "through" for seed in range(6) for edit in edited("negative", seed, alone=True)[2])


def test_edits_are_described() -> None:
    edits = [edit for seed in SEEDS for edit in edited("art", seed)[2]]
    assert {edit.what for edit in edits} == {"art"}
    assert {edit.of_scene for edit in edits} == {True, False}
    assert {edit.framed for edit in edits} == {True, False}
    assert len({edit.shape for edit in edits}) > 1 and len({edit.style for edit in edits}) > 2
    assert all(edit.source == "other" and edit.pixels["art"] >= 24 for edit in edits)


def test_the_seed_decides_everything() -> None:
    first, second = edited("mirror", 2), edited.__wrapped__("mirror", 2)
    assert first[2] == second[2] and (first[1].image == second[1].image).all()
