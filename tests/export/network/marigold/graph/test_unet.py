"""The nodes of a step answer as diffusers' network at that timestep and with that prompt."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from graph_pieces import assert_same, run_piece
from made_marigold import TINY_UNET, tiny_marigold
from torch import Tensor

from depthrt.export.network.marigold.graph.builder import GraphBuilder, Value
from depthrt.export.network.marigold.graph.unet import embed_timestep, velocity

NETWORK: Any = tiny_marigold("v1-1")  # whose parts are diffusers' and have no types


def answer(image: Tensor, latent: Tensor, timestep: int) -> Tensor:
    with torch.inference_mode():
        both = torch.cat([image, latent], dim=1)
        found: Tensor = NETWORK.unet(both, timestep, encoder_hidden_states=NETWORK.prompt, return_dict=False)[0]
    return found


@pytest.mark.parametrize("timestep", [0, 1, 249, 999])
def test_a_timestep_is_embedded_as_by_diffusers(timestep: int) -> None:
    unet = NETWORK.unet
    with torch.inference_mode():
        waves = unet.time_proj(torch.tensor([timestep]))
        expected = torch.nn.functional.silu(unet.time_embedding(waves))
        assert_same(embed_timestep(NETWORK.state_dict(), timestep), expected)


@pytest.mark.parametrize("size_px", [(4, 6), (5, 7)], ids=["even", "odd"])
def test_a_step_answers_as_the_network(size_px: tuple[int, int]) -> None:
    image, latent = torch.randn(2, 1, 4, *size_px)

    def write(g: GraphBuilder, image: Value, latent: Value) -> Value:
        return velocity(g, image, latent, 749, TINY_UNET, NETWORK.prompt, "fused")

    assert_same(run_piece(NETWORK.state_dict(), write, image, latent), answer(image, latent, 749))


def test_a_latent_of_zeros_is_left_out() -> None:
    image = torch.randn(1, 4, 5, 4)

    def write(g: GraphBuilder, image: Value) -> Value:
        return velocity(g, image, None, 999, TINY_UNET, NETWORK.prompt, "plain")

    assert_same(run_piece(NETWORK.state_dict(), write, image), answer(image, torch.zeros_like(image), 999))
