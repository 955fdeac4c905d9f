"""Close-ups: the subject is near the camera and ahead of it."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest

from depthrt.finetune.scenes.draft import Draft, eye_rotation
from depthrt.finetune.scenes.settings.closeups import draft_corner, draft_portrait, draft_tabletop
from depthrt.finetune.scenes.settings.compose import Kind

SEEDS = range(15)
NEAREST_M: dict[Kind, float] = {draft_tabletop: 1.2, draft_portrait: 4.5, draft_corner: 2.6}
OFF = 0.6  # radians from the optical axis; the subject is moved off the middle


def nearest_ahead(draft: Draft) -> float:
    """Return the distance of the nearest solid's middle within OFF of the optical axis."""
    forward = np.reshape(eye_rotation(draft.eye), (3, 3))[:, 2]
    offsets = np.array([row[1:4] for row in draft.solids]) - draft.eye.position
    distances = np.linalg.norm(offsets, axis=1)
    ahead = offsets @ forward > math.cos(OFF) * distances
    return float(distances[ahead].min())


@pytest.mark.parametrize("kind", NEAREST_M, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_subject_is_near_and_ahead(kind: Kind, seed: int) -> None:
    draft = Draft(Random(seed))
    kind(draft)
    assert nearest_ahead(draft) < NEAREST_M[kind]
    assert len(draft.lights) == 2
    assert math.radians(29) < draft.eye.fov_rad < math.radians(96)
    if draft.air.corner is not None:
        low, high = draft.air.corner
        assert low[0] < draft.eye.position[0] < high[0] and 0 < draft.eye.position[2] < high[2] + 1


def test_portraits_are_in_rooms_and_outdoors() -> None:
    outdoors = []
    for seed in range(40):
        draft = Draft(Random(seed))
        draft_portrait(draft)
        outdoors.append(draft.air.corner is None)
    assert 8 < sum(outdoors) < 30
