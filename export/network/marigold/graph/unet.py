"""The network of a step as ONNX nodes. Its timestep and its prompt are constants, and are worked out here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from .....engine.terms import AttentionOp
from ..architecture import UNetSizes
from .builder import GraphBuilder, Value
from .layers import PADS, GroupNorms, conv, group_norm, resnet, silu, transformer, upsample

LONGEST_PERIOD = 10000.0  # of the waves of a timestep. Source: diffusers, models/embeddings.py (get_timestep_embedding)


def velocity(
    g: GraphBuilder,
    image: Value,
    latent: Value | None,
    timestep: int,
    sizes: UNetSizes,
    prompt: Tensor,
    form: AttentionOp,
) -> Value:
    """Return what the network answers at a timestep.

    Source: diffusers, models/unets/unet_2d_condition.py and unet_2d_blocks.py

    Args:
        g: With the tensors of the network under "unet.".
        image: Its latent (1, L, h, w).
        latent: That of the step, of the same shape; None for zeros.
        timestep: A constant.
        sizes: Of the network.
        prompt: (1, 2, C), a constant.
        form: Of attention.
    """
    moment = embed_timestep(g.tensors, timestep)
    norms = GroupNorms(sizes.groups, 1e-5)

    def unit(x: Value, name: str) -> Value:
        return resnet(g, x, name, norms, bias=_bias_at(g, name, timestep, moment))

    def attend(x: Value, name: str, heads: int) -> Value:
        return transformer(g, x, name, prompt, heads, sizes.groups, form)

    x, skips = _down(g, _enter(g, image, latent), sizes, unit, attend)
    x = unit(x, "unet.mid_block.resnets.0")
    x = attend(x, "unet.mid_block.attentions.0", sizes.heads[-1])
    x = unit(x, "unet.mid_block.resnets.1")
    x = _up(g, x, skips, sizes, unit, attend)
    return conv(g, silu(g, group_norm(g, x, "unet.conv_norm_out", norms)), "unet.conv_out")


Unit = Callable[[Value, str], Value]
Attend = Callable[[Value, str, int], Value]


def embed_timestep(tensors: Mapping[str, Tensor], timestep: int) -> Tensor:
    """Return what the residual units are told of a timestep (1, C), activated."""
    half = tensors["unet.time_embedding.linear_1.weight"].shape[1] // 2
    waves = timestep * torch.exp(-math.log(LONGEST_PERIOD) * torch.arange(half, dtype=torch.float32) / half)
    moment = torch.cat([waves.cos(), waves.sin()])[None]
    for number in (1, 2):
        name = f"unet.time_embedding.linear_{number}"
        moment = F.silu(F.linear(moment, tensors[f"{name}.weight"], tensors[f"{name}.bias"]))
    return moment


def _bias_at(g: GraphBuilder, name: str, timestep: int, moment: Tensor) -> Value:
    """Return the bias of a unit's first convolution with what its timestep adds to each channel."""
    shift = F.linear(moment, g.tensors[f"{name}.time_emb_proj.weight"], g.tensors[f"{name}.time_emb_proj.bias"])
    return g.tensor(f"{name}.conv1.bias.at_{timestep}", g.tensors[f"{name}.conv1.bias"] + shift[0])


def _enter(g: GraphBuilder, image: Value, latent: Value | None) -> Value:
    """Return the first convolution of both latents; without a second one, that of the first half of its channels."""
    if latent is not None:
        return conv(g, g.op("Concat", image, latent, axis=1), "unet.conv_in")
    weight = g.tensors["unet.conv_in.weight"]
    half = g.tensor("unet.conv_in.weight.half", weight[:, : weight.shape[1] // 2])
    return g.op("Conv", image, half, g.weight("unet.conv_in.bias"), kernel_shape=[3, 3], pads=PADS)


def _down(g: GraphBuilder, x: Value, sizes: UNetSizes, unit: Unit, attend: Attend) -> tuple[Value, list[Value]]:
    """Return the coarsest level and every value that the way up takes again."""
    skips = [x]
    for level, attends in enumerate(sizes.attends):
        name = f"unet.down_blocks.{level}"
        for number in range(sizes.layers):
            x = unit(x, f"{name}.resnets.{number}")
            x = attend(x, f"{name}.attentions.{number}", sizes.heads[level]) if attends else x
            skips.append(x)
        if level < len(sizes.channels) - 1:
            x = conv(g, x, f"{name}.downsamplers.0.conv", stride=2)
            skips.append(x)
    return x, skips


def _up(g: GraphBuilder, x: Value, skips: list[Value], sizes: UNetSizes, unit: Unit, attend: Attend) -> Value:
    """Return the finest level, from the coarsest and what the way down left."""
    levels = len(sizes.channels)
    for block in range(levels):
        level, name = levels - 1 - block, f"unet.up_blocks.{block}"
        for number in range(sizes.layers + 1):
            x = unit(g.op("Concat", x, skips.pop(), axis=1), f"{name}.resnets.{number}")
            x = attend(x, f"{name}.attentions.{number}", sizes.heads[level]) if sizes.attends[level] else x
        if level > 0:  # an odd side was halved upwards, so what is doubled may have a row too many
            x = upsample(g, x, f"{name}.upsamplers.0", like=skips[-1])
    return x
