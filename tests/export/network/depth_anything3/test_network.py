"""Depth Anything 3 against a second writing of it, landscape and portrait."""

from __future__ import annotations

import pytest
import torch
from network_answers import SAME_FLOAT32, SAME_FORMULA, answer, difference, photo_batch
from random_depth_anything3 import TINY_ANY_VIEW, TINY_GATED, TINY_SKY, random_da3, shared_da3
from reference_depth_anything3 import reference_outputs

from depthrt.engine.errors import InputError
from depthrt.export.network.attention import AttentionForm
from depthrt.export.network.depth_anything3.architecture import Da3Architecture
from depthrt.export.network.network import Network

NETWORKS = pytest.mark.parametrize(
    "architecture", [TINY_SKY, TINY_ANY_VIEW, TINY_GATED], ids=["sky", "any view", "gated"]
)


@pytest.mark.parametrize("size_px", [(56, 84), (98, 70), (70, 70)], ids=["landscape", "portrait", "native"])
@NETWORKS
def test_a_network_computes_the_second_writing(architecture: Da3Architecture, size_px: tuple[int, int]) -> None:
    network, batch = random_da3(architecture).double(), photo_batch(*size_px).double()
    with torch.inference_mode():
        depth, sky = reference_outputs(network.state_dict(), batch, architecture.taps)
        assert difference(network(batch), depth) < SAME_FORMULA * 1e3  # of places and angles, which are float32
        single = random_da3(architecture)(batch.float())
        assert difference(single, depth) < SAME_FLOAT32
        if sky is not None:
            found = network.with_sky(batch)
            assert torch.equal(found[0], network(batch))
            assert difference(found[1], sky) < SAME_FORMULA
    assert (depth > 0).all() and depth.std() > 0.05


def test_random_weights_show_sky_in_a_part_of_a_photograph() -> None:
    with torch.inference_mode():
        _, sky = shared_da3(TINY_SKY).with_sky(photo_batch(70, 98))
    assert 0.02 < (sky >= 0.3).float().mean() < 0.6
    assert sky.min() == 0


def test_images_of_a_batch_do_not_see_each_other() -> None:
    network, batch = shared_da3(TINY_ANY_VIEW), photo_batch(56, 70)
    together = answer(network, torch.cat([batch, batch.flip(-1)]))
    assert difference(together[:1], answer(network, batch)) < SAME_FLOAT32


@NETWORKS
def test_plain_attention_computes_the_same(architecture: Da3Architecture) -> None:
    network, batch = random_da3(architecture), photo_batch(56, 70)
    expected, form = answer(network, batch), "plain"
    assert isinstance(network, Network)
    plain: AttentionForm = "plain"
    network.set_attention(plain)
    assert form == plain
    assert difference(answer(network, batch), expected) < SAME_FLOAT32


def test_a_baked_size_is_the_only_one() -> None:
    network, batch = random_da3(TINY_ANY_VIEW), photo_batch(56, 70)
    expected = answer(network, batch)
    network.bake_positions(4, 5)
    assert difference(answer(network, batch), expected) < SAME_FLOAT32
    with pytest.raises(InputError, match="a grid of 5x5 patches found, but positions are baked for 4x5"):
        network(photo_batch(70, 70))


def test_a_side_that_is_no_multiple_of_the_patch_is_refused() -> None:
    with pytest.raises(InputError, match="input of 60x70 px found, both sides must be multiples of 14"):
        shared_da3(TINY_SKY)(torch.zeros(1, 3, 60, 70))
