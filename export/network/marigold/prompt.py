"""The embedding of the empty prompt: the text encoder's answer to two tokens, computed once at export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

START, END = 49406, 49407  # tokens of the empty prompt. Source: openai/CLIP, simple_tokenizer.py
ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
}


@dataclass(frozen=True, slots=True)
class TextEncoder:
    """A text encoder of CLIP.

    Args:
        layers: Their number.
        heads: Of each attention.
        activation: Between the two linear layers of a block, a name in ACTIVATIONS.
        epsilon: Of the layer norms.
        tensors: By name, without the prefix "text_model."; of any float type.
    """

    layers: int
    heads: int
    activation: str
    epsilon: float
    tensors: Mapping[str, Tensor]

    def embed_empty(self) -> Tensor:
        """Return the embedding (1, 2, C) of the empty prompt, float32.

        Source: openai/CLIP, clip/model.py (Transformer, encode_text)

        Raises:
            KeyError: A tensor is missing.
        """
        table = self.tensors["embeddings.token_embedding.weight"]
        tokens = table[[START, END]].float() + self._weight("embeddings.position_embedding.weight")[:2]  # (2, C)
        for number in range(self.layers):
            block = f"encoder.layers.{number}"
            tokens = tokens + self._attend(self._norm(tokens, f"{block}.layer_norm1"), f"{block}.self_attn")
            wide = self._linear(self._norm(tokens, f"{block}.layer_norm2"), f"{block}.mlp.fc1")
            tokens = tokens + self._linear(ACTIVATIONS[self.activation](wide), f"{block}.mlp.fc2")
        return self._norm(tokens, "final_layer_norm")[None]

    def _attend(self, tokens: Tensor, name: str) -> Tensor:
        """Attend from each token of (2, C) to itself and those before it."""
        query, key, value = (
            self._linear(tokens, f"{name}.{part}_proj").unflatten(-1, (self.heads, -1)).transpose(0, 1)
            for part in "qkv"
        )  # each (heads, 2, C/heads)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self._linear(mixed.transpose(0, 1).flatten(1), f"{name}.out_proj")

    def _linear(self, tokens: Tensor, name: str) -> Tensor:
        return F.linear(tokens, self._weight(f"{name}.weight"), self._weight(f"{name}.bias"))

    def _norm(self, tokens: Tensor, name: str) -> Tensor:
        weight = self._weight(f"{name}.weight")
        return F.layer_norm(tokens, weight.shape, weight, self._weight(f"{name}.bias"), self.epsilon)

    def _weight(self, name: str) -> Tensor:
        return self.tensors[name].float()
