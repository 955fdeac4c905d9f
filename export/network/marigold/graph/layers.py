"""The layers of a diffusion model as ONNX nodes: convolutions, norms, residual units, attention, transformers.

Each function takes the name under which the layer's tensors stand. Values are (1, C, h, w), or tokens (1, T, C).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from .....engine.terms import AttentionOp
from .builder import MICROSOFT, GraphBuilder, Value

LAYER_NORM_EPSILON = 1e-5  # torch's own
PADS = [1, 1, 1, 1]  # above, left, below, right


@dataclass(frozen=True, slots=True)
class GroupNorms:
    """How the group norms of a part of the network compute."""

    groups: int
    epsilon: float


def conv(
    g: GraphBuilder, x: Value, name: str, *, bias: Value | None = None, stride: int = 1, pads: list[int] | None = None
) -> Value:
    """Return a convolution of 3x3, or of 1x1 without padding."""
    weight = g.weight(f"{name}.weight")
    bias = g.weight(f"{name}.bias") if bias is None else bias
    side = g.tensors[f"{name}.weight"].shape[2]
    pads = pads if pads is not None else PADS if side == 3 else [0, 0, 0, 0]
    return g.op("Conv", x, weight, bias, kernel_shape=[side, side], strides=[stride, stride], pads=pads)


def linear(g: GraphBuilder, x: Value, name: str) -> Value:
    """Return a linear layer of tokens."""
    product = g.op("MatMul", x, g.transposed(f"{name}.weight"))
    return g.op("Add", product, g.weight(f"{name}.bias")) if g.has(f"{name}.bias") else product


def silu(g: GraphBuilder, x: Value) -> Value:
    """Return x * sigmoid(x)."""
    return g.op("Mul", x, g.op("Sigmoid", x))


def group_norm(g: GraphBuilder, x: Value, name: str, norms: GroupNorms) -> Value:
    """Return a group norm in plain nodes.

    TensorRT-RTX 1.7 ends with bad_alloc on InstanceNormalization of a dynamic size, and ONNX Runtime's
    GroupNormalization differs by 1e-4, as it takes the variance from the mean of squares.
    """
    groups = g.op("Reshape", x, g.whole_numbers(0, norms.groups, -1))
    away = g.op("Sub", groups, g.op("ReduceMean", groups, g.whole_numbers(2), keepdims=1))
    variance = g.op("ReduceMean", g.op("Mul", away, away), g.whole_numbers(2), keepdims=1)
    deviation = g.op("Sqrt", g.op("Add", variance, g.number(norms.epsilon)))
    normal = g.op("Reshape", g.op("Div", away, deviation), g.shape(x))
    weight, bias = (
        g.tensor(f"{name}.{part}.planes", g.tensors[f"{name}.{part}"][:, None, None]) for part in ("weight", "bias")
    )
    return g.op("Add", g.op("Mul", normal, weight), bias)


def layer_norm(g: GraphBuilder, x: Value, name: str) -> Value:
    """Return a layer norm of tokens."""
    weight, bias = g.weight(f"{name}.weight"), g.weight(f"{name}.bias")
    return g.op("LayerNormalization", x, weight, bias, axis=-1, epsilon=LAYER_NORM_EPSILON)


def resnet(g: GraphBuilder, x: Value, name: str, norms: GroupNorms, *, bias: Value | None = None) -> Value:
    """Return a residual unit; `bias` replaces that of its first convolution."""
    inner = conv(g, silu(g, group_norm(g, x, f"{name}.norm1", norms)), f"{name}.conv1", bias=bias)
    inner = conv(g, silu(g, group_norm(g, inner, f"{name}.norm2", norms)), f"{name}.conv2")
    if g.has(f"{name}.conv_shortcut.weight"):
        x = conv(g, x, f"{name}.conv_shortcut")
    return g.op("Add", x, inner)


def upsample(g: GraphBuilder, x: Value, name: str, *, like: Value | None = None) -> Value:
    """Return each pixel twice in both directions, cut to the size of another value, and a convolution of it."""
    scales = g.op("Resize", x, None, g.scales(), mode="nearest", **_NEAREST)
    if like is not None:
        sides = g.op("Slice", g.shape(like), g.whole_numbers(2), g.whole_numbers(4))
        scales = g.op("Slice", scales, g.whole_numbers(0, 0), sides, g.whole_numbers(2, 3))
    return conv(g, scales, f"{name}.conv")


_NEAREST = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}


def to_tokens(g: GraphBuilder, x: Value) -> Value:
    """Return the pixels of (1, C, h, w) as tokens (1, h * w, C)."""
    return g.op("Transpose", g.op("Reshape", x, g.whole_numbers(0, 0, -1)), perm=[0, 2, 1])


def from_tokens(g: GraphBuilder, tokens: Value, like: Value) -> Value:
    """Return tokens as pixels, in the shape of another value."""
    return g.op("Reshape", g.op("Transpose", tokens, perm=[0, 2, 1]), g.shape(like))


def attention(
    g: GraphBuilder, query: Value, key: Value, value: Value, heads: int, width: int, form: AttentionOp
) -> Value:
    """Return for each query token (1, T, C) the values, weighted by how well their keys fit.

    Args:
        query, key, value: The heads side by side.
        heads: Their number.
        width: C, of all heads.
        form: "fused" is one node.
    """
    scale = (width // heads) ** -0.5
    if form == "fused":
        return g.op("MultiHeadAttention", query, key, value, domain=MICROSOFT, num_heads=heads, scale=scale)
    by_head = g.whole_numbers(0, 0, heads, width // heads)
    query, value = (g.op("Transpose", g.op("Reshape", x, by_head), perm=[0, 2, 1, 3]) for x in (query, value))
    key = g.op("Transpose", g.op("Reshape", key, by_head), perm=[0, 2, 3, 1])
    weights = g.op("Softmax", g.op("MatMul", g.op("Mul", query, g.number(scale)), key), axis=-1)
    mixed = g.op("Transpose", g.op("MatMul", weights, value), perm=[0, 2, 1, 3])
    return g.op("Reshape", mixed, g.whole_numbers(0, 0, width))


def self_attention(g: GraphBuilder, tokens: Value, name: str, heads: int, form: AttentionOp) -> Value:
    """Return attention of tokens to each other, with its linear layers."""
    width = g.tensors[f"{name}.to_q.weight"].shape[0]
    query, key, value = (linear(g, tokens, f"{name}.to_{part}") for part in "qkv")
    return linear(g, attention(g, query, key, value, heads, width, form), f"{name}.to_out.0")


def prompt_attention(g: GraphBuilder, tokens: Value, name: str, prompt: Tensor, heads: int, form: AttentionOp) -> Value:
    """Return attention of tokens to a constant prompt (1, 2, C), whose keys and values are constants."""
    width = g.tensors[f"{name}.to_q.weight"].shape[0]
    key, value = (g.tensor(f"{name}.{part}", prompt @ g.tensors[f"{name}.to_{part}.weight"].t()) for part in ("k", "v"))
    query = linear(g, tokens, f"{name}.to_q")
    return linear(g, attention(g, query, key, value, heads, width, form), f"{name}.to_out.0")


def transformer(
    g: GraphBuilder, x: Value, name: str, prompt: Tensor, heads: int, groups: int, form: AttentionOp
) -> Value:
    """Return a transformer over the pixels: attention to each other and to the prompt, and a gated layer."""
    tokens = linear(g, to_tokens(g, group_norm(g, x, f"{name}.norm", GroupNorms(groups, 1e-6))), f"{name}.proj_in")
    for number in range(g.count(f"{name}.transformer_blocks")):
        block = f"{name}.transformer_blocks.{number}"
        normal = layer_norm(g, tokens, f"{block}.norm1")
        tokens = g.op("Add", tokens, self_attention(g, normal, f"{block}.attn1", heads, form))
        normal = layer_norm(g, tokens, f"{block}.norm2")
        tokens = g.op("Add", tokens, prompt_attention(g, normal, f"{block}.attn2", prompt, heads, form))
        tokens = g.op("Add", tokens, _gated(g, layer_norm(g, tokens, f"{block}.norm3"), f"{block}.ff.net"))
    return g.op("Add", from_tokens(g, linear(g, tokens, f"{name}.proj_out"), x), x)


def _gated(g: GraphBuilder, tokens: Value, name: str) -> Value:
    """Return two linear layers; half of the channels between them gates the other half."""
    inner, gate = g.ops("Split", linear(g, tokens, f"{name}.0.proj"), outputs=2, axis=-1, num_outputs=2)
    return linear(g, g.op("Mul", inner, g.op("Gelu", gate)), f"{name}.2")
