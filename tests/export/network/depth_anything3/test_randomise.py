"""Random weights answer with depth that varies, the same for the same seed."""

from __future__ import annotations

import torch
from network_answers import answer, photo_batch
from random_depth_anything3 import TINY_ANY_VIEW, TINY_SKY, random_da3


def test_a_seed_gives_the_same_weights_and_another_seed_others() -> None:
    first, same, other = (random_da3(TINY_SKY, seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not torch.equal(first["head.projects.0.weight"], other["head.projects.0.weight"])


def test_depth_is_a_few_metres_and_varies() -> None:
    for seed in range(3):
        depth = answer(random_da3(TINY_ANY_VIEW, seed=seed), photo_batch(56, 84))
        assert depth.min() > 0.1 and depth.max() < 60 and depth.std() > 0.1 * depth.mean()
