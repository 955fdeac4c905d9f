"""Each kind of edit leaves what it promises: planes where it says flat, true depth where it says window."""

from __future__ import annotations

import numpy as np
import pytest
from edited_rooms import edited

from depthrt.bench.datasets.regions import region
from depthrt.finetune.augment.edit.kinds import KINDS, Kind
from depthrt.finetune.augment.geometry.plane import Box, Plane

SEEDS = range(10)
ROUNDING = 1e-12


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


def test_the_seed_decides_everything() -> None:
    first, second = edited("mirror", 2), edited.__wrapped__("mirror", 2)
    assert first[2] == second[2] and (first[1].image == second[1].image).all()
