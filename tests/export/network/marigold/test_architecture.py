"""A network is named after the published model whose steps it has, and after its own sizes if they are others."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from made_marigold import tiny_architecture

from depthrt.export.network.marigold.architecture import PUBLISHED_UNET, PUBLISHED_VAE, Variant


@pytest.mark.parametrize("variant", get_args(Variant))
def test_a_network_is_named_after_its_steps_and_sizes(variant: Variant) -> None:
    tiny = tiny_architecture(variant)
    assert (tiny.variant, tiny.encoder) == (variant, f"{variant}-16x32")
    assert replace(tiny, unet=PUBLISHED_UNET, vae=PUBLISHED_VAE).encoder == variant


def test_each_level_of_the_encoder_but_the_last_halves_the_image() -> None:
    tiny = tiny_architecture("v1-1")
    assert tiny.patch_px == PUBLISHED_VAE.patch_px == 8
    assert replace(tiny.vae, channels=(8, 16)).patch_px == 2
