"""Each layer answers as that of diffusers whose tensors it has."""

from __future__ import annotations

import pytest
import torch
from graph_pieces import assert_same, run_piece
from made_marigold import tiny_marigold
from torch import Tensor, nn

from depthrt.engine.terms import ATTENTION_OPS, AttentionOp
from depthrt.export.network.marigold.graph.builder import GraphBuilder, Value
from depthrt.export.network.marigold.graph.layers import GroupNorms, conv, resnet, transformer, upsample


def module(name: str) -> tuple[nn.Module, dict[str, Tensor]]:
    """Return a module of the tiny network, and its tensors under their names."""
    found = tiny_marigold("v1-1").get_submodule(name)
    return found, {f"{name}.{key}": tensor for key, tensor in found.state_dict().items()}


@pytest.mark.parametrize("name", ["vae.encoder.down_blocks.1.resnets.0", "vae.encoder.down_blocks.2.resnets.0"])
def test_a_residual_unit_with_and_without_a_shortcut(name: str) -> None:
    unit, tensors = module(name)
    x = torch.randn(1, tensors[f"{name}.norm1.weight"].shape[0], 5, 7)
    with torch.inference_mode():
        expected = unit(x, None)
    assert_same(run_piece(tensors, lambda g, x: resnet(g, x, name, GroupNorms(4, 1e-6)), x), expected)
    assert (f"{name}.conv_shortcut.weight" in tensors) == (name[-11] == "1")


@pytest.mark.parametrize("form", ATTENTION_OPS)
def test_a_transformer(form: AttentionOp) -> None:
    name = "unet.down_blocks.0.attentions.0"
    unit, tensors = module(name)
    x, prompt = torch.randn(1, 16, 5, 6), torch.randn(1, 2, 24)

    def write(g: GraphBuilder, x: Value) -> Value:
        return transformer(g, x, name, prompt, 2, 8, form)

    with torch.inference_mode():
        expected = unit(x, encoder_hidden_states=prompt, return_dict=False)[0]
    assert_same(run_piece(tensors, write, x), expected)


@pytest.mark.parametrize("like_px", [(10, 14), (9, 13)])
def test_doubled_sides_are_cut_to_an_odd_one(like_px: tuple[int, int]) -> None:
    name = "unet.up_blocks.0.upsamplers.0"
    unit, tensors = module(name)
    x, like = torch.randn(1, 32, 5, 7), torch.randn(1, 3, *like_px)
    with torch.inference_mode():
        expected = unit(x, like_px)
    assert_same(run_piece(tensors, lambda g, x, like: upsample(g, x, name, like=like), x, like), expected)


def test_a_convolution_that_halves() -> None:
    name = "unet.down_blocks.0.downsamplers.0"
    unit, tensors = module(name)
    x = torch.randn(1, 16, 9, 6)
    with torch.inference_mode():
        assert_same(run_piece(tensors, lambda g, x: conv(g, x, f"{name}.conv", stride=2), x), unit(x))
