"""Encoder and decoder between an image and its latent as ONNX nodes."""

from __future__ import annotations

from .....engine.terms import AttentionOp
from ..architecture import VaeSizes
from .builder import GraphBuilder, Value
from .layers import GroupNorms, conv, from_tokens, group_norm, resnet, self_attention, silu, to_tokens, upsample

_HALVE = [0, 0, 1, 1]  # the odd row and column of padding come last


def encode(g: GraphBuilder, image: Value, sizes: VaeSizes, form: AttentionOp) -> Value:
    """Return the latent of an image: the mean of the encoder's answer, scaled.

    Source: diffusers, models/autoencoders/vae.py (Encoder) and autoencoder_kl.py (encode)
    """
    norms = GroupNorms(sizes.groups, 1e-6)
    x = conv(g, image, "vae.encoder.conv_in")
    for level in range(len(sizes.channels)):
        name = f"vae.encoder.down_blocks.{level}"
        for number in range(sizes.layers):
            x = resnet(g, x, f"{name}.resnets.{number}", norms)
        if level < len(sizes.channels) - 1:
            x = conv(g, x, f"{name}.downsamplers.0.conv", stride=2, pads=_HALVE)
    x = _middle(g, x, "vae.encoder.mid_block", norms, form)
    x = conv(g, silu(g, group_norm(g, x, "vae.encoder.conv_norm_out", norms)), "vae.encoder.conv_out")
    weight, bias = (g.tensors[f"vae.quant_conv.{part}"][: sizes.latent_channels] for part in ("weight", "bias"))
    mean = g.op("Conv", x, g.tensor("vae.quant_conv.mean.weight", weight), g.tensor("vae.quant_conv.mean.bias", bias))
    return g.op("Mul", mean, g.number(sizes.scale))


def decode(g: GraphBuilder, latent: Value, sizes: VaeSizes, form: AttentionOp) -> Value:
    """Return the image (1, 3, h, w) of a latent.

    Source: diffusers, models/autoencoders/vae.py (Decoder) and autoencoder_kl.py (decode)
    """
    norms = GroupNorms(sizes.groups, 1e-6)
    x = conv(g, g.op("Div", latent, g.number(sizes.scale)), "vae.post_quant_conv")
    x = _middle(g, conv(g, x, "vae.decoder.conv_in"), "vae.decoder.mid_block", norms, form)
    for block in range(len(sizes.channels)):
        name = f"vae.decoder.up_blocks.{block}"
        for number in range(sizes.layers + 1):
            x = resnet(g, x, f"{name}.resnets.{number}", norms)
        if block < len(sizes.channels) - 1:
            x = upsample(g, x, f"{name}.upsamplers.0")
    return conv(g, silu(g, group_norm(g, x, "vae.decoder.conv_norm_out", norms)), "vae.decoder.conv_out")


def _middle(g: GraphBuilder, x: Value, name: str, norms: GroupNorms, form: AttentionOp) -> Value:
    """Return the coarsest level: a residual unit, attention of one head, a residual unit."""
    x = resnet(g, x, f"{name}.resnets.0", norms)
    tokens = to_tokens(g, group_norm(g, x, f"{name}.attentions.0.group_norm", norms))
    mixed = self_attention(g, tokens, f"{name}.attentions.0", 1, form)
    x = g.op("Add", from_tokens(g, mixed, x), x)
    return resnet(g, x, f"{name}.resnets.1", norms)
