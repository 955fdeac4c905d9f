"""The router computes what torch's own transformer computes, and sends each image its way."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from depthrt.export.network.zoedepth.router import (
    ROUTER_HEADS,
    ROUTER_LAYERS,
    ROUTER_WIDTH,
    PatchTransformer,
    is_outdoor,
)

HIDDEN, FEATURES = 32, 6
SAME_FLOAT64 = 1e-6  # the positions are exact to float32


def reference(network: PatchTransformer, maps: Tensor) -> Tensor:
    """Compute the first token with torch's layers."""
    layer = nn.TransformerEncoderLayer(ROUTER_WIDTH, ROUTER_HEADS, dim_feedforward=HIDDEN, batch_first=True)
    layers = nn.TransformerEncoder(layer, ROUTER_LAYERS, enable_nested_tensor=False).double().eval()
    layers.load_state_dict(network.transformer_encoder.state_dict())  # the same names
    cells = network.embedding_convPxP(maps).flatten(2).transpose(1, 2)
    tokens = torch.cat((torch.zeros_like(cells[:, :1]), cells), dim=1)
    for number in range(tokens.shape[1]):
        for half in range(ROUTER_WIDTH // 2):
            phase = number / 10000 ** (2 * half / ROUTER_WIDTH)
            tokens[:, number, half] += math.sin(phase)
            tokens[:, number, half + ROUTER_WIDTH // 2] += math.cos(phase)
    first: Tensor = layers(tokens)[:, 0]
    return first


def test_the_first_token_is_the_one_of_torchs_transformer() -> None:
    torch.manual_seed(0)
    network = PatchTransformer(FEATURES, HIDDEN).double().eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    maps = torch.randn(2, FEATURES, 3, 4).double()
    with torch.inference_mode():
        assert (network(maps) - reference(network, maps)).abs().max() < SAME_FLOAT64


def test_each_image_takes_the_route_of_the_larger_logit_and_indoor_if_they_are_equal() -> None:
    logits = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    assert is_outdoor(logits).shape == (3, 1, 1, 1)
    assert is_outdoor(logits).flatten().tolist() == [False, True, False]
