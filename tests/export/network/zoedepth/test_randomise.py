"""Random weights answer with varied metres, and send images both ways."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from network_answers import photo_batch
from random_zoedepth import random_zoe, routed_batch, routes, tiny_zoe

from depthrt.export.network.zoedepth.architecture import Variant

VARIANTS: tuple[Variant, ...] = get_args(Variant)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_answer_is_finite_varied_depth(variant: Variant, seed: int) -> None:
    with torch.inference_mode():
        depth = random_zoe(tiny_zoe(variant), mirrored=False, seed=seed)(photo_batch(64, 96))
    assert torch.isfinite(depth).all()
    assert depth.min() > 0
    assert depth.std() > 0.02 * depth.mean()


def test_the_same_seed_gives_the_same_weights() -> None:
    first, second = (random_zoe(tiny_zoe("NK")).state_dict() for _ in range(2))
    assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_images_take_both_routes() -> None:
    assert routes(random_zoe(tiny_zoe("NK")), routed_batch(64, 96)).tolist() == [False, True]
