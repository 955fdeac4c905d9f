"""The embedding of the empty prompt is that of transformers' text encoder."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from made_marigold import TOKENS
from transformers import CLIPTextConfig, CLIPTextModel

from depthrt.export.network.marigold.prompt import TextEncoder

SAME_FLOAT32 = 1e-6  # of values near 1


def make_encoder(activation: str) -> tuple[CLIPTextModel, TextEncoder]:
    torch.manual_seed(0)
    config = CLIPTextConfig(
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=3,
        num_attention_heads=4,
        hidden_act=activation,
        max_position_embeddings=4,
    )
    model: Any = CLIPTextModel(config)
    model.eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.2)
    tensors = {name.removeprefix("text_model."): tensor for name, tensor in model.state_dict().items()}
    return model, TextEncoder(3, 4, activation, 1e-5, tensors)


@pytest.mark.parametrize("activation", ["gelu", "quick_gelu"])
def test_it_is_that_of_transformers(activation: str) -> None:
    model, encoder = make_encoder(activation)
    with torch.inference_mode():
        expected = model(torch.tensor([TOKENS]))[0]
        found = encoder.embed_empty()
    assert found.shape == (1, 2, 24)
    assert (found - expected).abs().max() < SAME_FLOAT32 * expected.abs().max()


def test_weights_in_half_precision_give_an_embedding_in_float32() -> None:
    _, encoder = make_encoder("gelu")
    half = TextEncoder(3, 4, "gelu", 1e-5, {name: tensor.half() for name, tensor in encoder.tensors.items()})
    assert half.embed_empty().dtype == torch.float32


def test_a_missing_tensor_is_named() -> None:
    _, encoder = make_encoder("gelu")
    cut = {name: tensor for name, tensor in encoder.tensors.items() if name != "encoder.layers.1.mlp.fc2.bias"}
    with pytest.raises(KeyError, match=r"encoder\.layers\.1\.mlp\.fc2\.bias"):
        TextEncoder(3, 4, "gelu", 1e-5, cut).embed_empty()
