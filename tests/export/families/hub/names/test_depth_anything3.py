"""The names of ComfyUI's repack become the official ones, and the official ones stay."""

from __future__ import annotations

import pytest
import torch
from random_depth_anything3 import TINY_ANY_VIEW, TINY_GATED, TINY_SKY, comfy_state, official_state, shared_da3

from depthrt.export.families.hub.names.depth_anything3 import DEPTH_ANYTHING3_NAMES
from depthrt.export.families.hub.names.renaming import rename_tensors
from depthrt.export.network.depth_anything3.architecture import Da3Architecture, published
from depthrt.export.network.depth_anything3.network import DepthAnything3


@pytest.mark.parametrize("architecture", [TINY_SKY, TINY_ANY_VIEW, TINY_GATED], ids=["sky", "any view", "gated"])
def test_the_names_of_the_repack_become_the_official_ones(architecture: Da3Architecture) -> None:
    network = shared_da3(architecture)
    official, repack = (
        {name.removeprefix("model."): tensor for name, tensor in state.items()}
        for state in (official_state(network), comfy_state(network))
    )
    assert not official.keys() >= repack.keys()
    found = rename_tensors(repack, DEPTH_ANYTHING3_NAMES)
    assert found.keys() == official.keys()
    assert all(torch.equal(found[name], official[name]) for name in official)
    assert rename_tensors(official, DEPTH_ANYTHING3_NAMES).keys() == official.keys()


def test_the_repack_of_the_published_mono_network_has_the_published_number_of_tensors() -> None:
    # depth_anything_3_mono_large.safetensors of Comfy-Org/Depth-Anything-3 has 1,336,748,056 bytes, 62,480 of them a
    # header of 502 tensors under these names behind "model.", and the rest its float32 values.
    with torch.device("meta"):
        network = DepthAnything3(published("vitl", any_view=False))
    state = comfy_state(network)
    assert len(state) == 502
    assert 4 * sum(tensor.numel() for tensor in state.values()) == 1_336_748_056 - 62_480
