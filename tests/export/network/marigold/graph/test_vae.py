"""Encoder and decoder answer as diffusers' autoencoder."""

from __future__ import annotations

from typing import Any

import torch
from graph_pieces import assert_same, run_piece
from made_marigold import TINY_VAE, tiny_marigold

from depthrt.export.network.marigold.graph.vae import decode, encode

NETWORK: Any = tiny_marigold("v1-1")  # whose parts are diffusers' and have no types


def test_a_latent_is_the_scaled_mode_of_the_encoders_distribution() -> None:
    image = torch.rand(1, 3, 24, 40) * 2 - 1
    with torch.inference_mode():
        expected = NETWORK.vae.encode(image).latent_dist.mode() * TINY_VAE.scale
    found = run_piece(NETWORK.state_dict(), lambda g, x: encode(g, x, TINY_VAE, "fused"), image)
    assert found.shape == (1, 4, 3, 5)
    assert_same(found, expected)


def test_an_image_is_decoded_from_the_unscaled_latent() -> None:
    latent = torch.randn(1, 4, 3, 5)
    with torch.inference_mode():
        expected = NETWORK.vae.decode(latent / TINY_VAE.scale, return_dict=False)[0]
    assert_same(run_piece(NETWORK.state_dict(), lambda g, x: decode(g, x, TINY_VAE, "plain"), latent), expected)
