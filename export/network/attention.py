"""Multi-head attention in three forms that compute the same; every transformer here uses it."""

from __future__ import annotations

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...engine.errors import InputError
from ...engine.terms import AttentionOp
from .architecture import HEAD_WIDTH

AttentionForm = Literal["eager", AttentionOp]  # eager: torch's operator


class Attention(nn.Module):
    """Attention between tokens, without the layers before and after it.

    "eager" is torch's operator. "fused" exports as a com.microsoft MultiHeadAttention node; run in torch it
    returns dummy values. "plain" is two matrix products and a softmax.

    Args:
        heads: Number of heads.
        scale: Factor of the products of queries and keys.
    """

    def __init__(self, heads: int, *, scale: float) -> None:
        super().__init__()
        self.heads = heads
        self.scale = scale
        self.form: AttentionForm = "eager"
        self.softmax_dtype: torch.dtype | None = None  # of the softmax of the plain form; None: as its input

    def attend(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
        """Return for each query the values, weighted by how well their keys fit.

        Args:
            query, key, value: Each (N, T, C), the heads side by side.
            bias: (1 or N, heads, T, T), added to the scaled products; of the same dtype.

        Returns:
            (N, T, C).
        """
        if self.form == "fused":
            return self._fused(query, key, value, bias)
        shape = query.shape
        query, key, value = (self._by_head(part) for part in (query, key, value))  # (N, heads, T, C/heads)
        if self.form == "eager":
            mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=self.scale)
        else:
            mixed = self._plain(query, key, value, bias)
        return mixed.transpose(1, 2).reshape(shape)  # (N, T, C)

    def _plain(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
        logits = (query * self.scale) @ key.transpose(-2, -1)
        # Not softmax(dtype=...): the exporter puts that cast behind the softmax.
        logits = logits.to(self.softmax_dtype or logits.dtype)
        if bias is not None:
            logits = logits + bias.to(logits.dtype)
        return torch.softmax(logits, dim=-1).to(value.dtype) @ value

    def _by_head(self, part: Tensor) -> Tensor:
        return torch.unflatten(part, -1, (self.heads, -1)).transpose(1, 2)

    def _fused(self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
        return torch.onnx.ops.symbolic(
            "com.microsoft::MultiHeadAttention",
            (query, key, value) if bias is None else (query, key, value, None, None, bias),
            {"num_heads": self.heads, "scale": self.scale},
            dtype=query.dtype,
            shape=query.shape,
            version=1,
        )


class SelfAttention(Attention):
    """Attention of the tokens of an image to each other, with heads of HEAD_WIDTH channels."""

    def __init__(self, width: int) -> None:
        super().__init__(width // HEAD_WIDTH, scale=HEAD_WIDTH**-0.5)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Attend from each token of (N, T, C) to all tokens of its image."""
        query, key, value = self.qkv(tokens).chunk(3, dim=-1)  # each (N, T, C)
        projected: Tensor = self.proj(self.attend(query, key, value))
        return projected


def set_attention(network: nn.Module, form: AttentionForm) -> None:
    """Choose how every attention of a network is computed; "fused" is for export only.

    Raises:
        InputError: The form is unknown.
    """
    check_attention_form(form)
    for module in network.modules():
        if isinstance(module, Attention):
            module.form = form


def check_attention_form(form: str) -> None:
    """Raise InputError unless `form` is an AttentionForm."""
    if form not in get_args(AttentionForm):
        raise InputError(f"attention form {form!r} found, expected one of {', '.join(get_args(AttentionForm))}")
