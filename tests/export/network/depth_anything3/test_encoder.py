"""The encoder's places and its camera token reach what they should."""

from __future__ import annotations

import torch
from network_answers import SAME_FLOAT32, difference, photo_batch
from random_depth_anything3 import TINY_ANY_VIEW, TINY_SKY, random_da3, shared_da3

from depthrt.export.network.depth_anything3.network import DepthAnything3

GRID = (4, 5)


def tapped(network: DepthAnything3) -> list[torch.Tensor]:
    with torch.inference_mode():
        found: list[torch.Tensor] = network.backbone.pretrained(photo_batch(56, 70), GRID)
    return found


def test_turned_blocks_give_twice_the_channels() -> None:
    assert {part.shape for part in tapped(shared_da3(TINY_SKY))} == {(1, 20, 64)}
    assert {part.shape for part in tapped(shared_da3(TINY_ANY_VIEW))} == {(1, 20, 128)}


def test_only_the_camera_token_of_the_first_view_counts() -> None:
    network = random_da3(TINY_ANY_VIEW)
    encoder, before = network.backbone.pretrained, tapped(network)
    with torch.no_grad():
        encoder.camera_token[:, 1] *= -1  # of the views that are not the first
    assert all(torch.equal(*pair) for pair in zip(before, tapped(network), strict=True))
    with torch.no_grad():
        encoder.camera_token[:, 0] *= -1
    assert difference(tapped(network)[0], before[0]) > SAME_FLOAT32


def test_a_block_over_all_views_leaves_the_first_half_as_the_block_before_gave_it() -> None:
    # Taps of blocks 2 and 3: block 3 is over all views.
    second, third = tapped(shared_da3(TINY_ANY_VIEW))[:2]
    assert torch.equal(second[..., :64], third[..., :64])
    assert not torch.equal(second[..., 64:], third[..., 64:])
