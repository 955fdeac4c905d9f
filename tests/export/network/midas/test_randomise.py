"""Random weights answer like a trained network: varied, finite, positive nearly everywhere."""

from __future__ import annotations

import pytest
import torch
from network_answers import photo_batch
from random_midas import TINY_BEIT, TINY_HYBRID, TINY_VIT, random_midas

from depthrt.export.network.midas.architecture import TransformerArchitecture


@pytest.mark.parametrize("architecture", [TINY_BEIT, TINY_VIT, TINY_HYBRID])
def test_the_answer_to_a_photograph_looks_like_depth(architecture: TransformerArchitecture) -> None:
    with torch.inference_mode():
        depth = random_midas(architecture)(photo_batch(96, 128))
    assert depth.shape == (1, 96, 128)
    assert torch.isfinite(depth).all()
    assert (depth > 0).float().mean() > 0.9
    assert 0.3 < depth.std() < 3


def test_the_same_seed_gives_the_same_weights_and_another_one_others() -> None:
    first, same, other = (random_midas(TINY_VIT, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)
