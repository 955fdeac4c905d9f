"""Tiny networks of MiDaS with seeded weights, as official files hold them."""

from __future__ import annotations

from functools import cache

import torch
from made_midas_swin import TINY_SWIN, TINY_SWIN2, official_extras, random_swin
from made_midas_v21 import TINY_LARGE, TINY_SMALL, random_v21
from random_midas import TINY_BEIT, TINY_HYBRID, TINY_VIT, random_midas

from depthrt.export.network.midas.architecture import TransformerArchitecture
from depthrt.export.network.network import Network

State = dict[str, torch.Tensor]

MIDAS = ("beit", "vit", "hybrid", "swin2", "swin", "large", "small")


@cache
def tiny_midas(encoder: str) -> Network:
    """Return a tiny network of MiDaS by the short name of its encoder."""
    if encoder in ("swin", "swin2"):
        return random_swin(TINY_SWIN if encoder == "swin" else TINY_SWIN2)
    if encoder in ("large", "small"):
        return random_v21(TINY_LARGE if encoder == "large" else TINY_SMALL)
    transformers: dict[str, TransformerArchitecture] = {"beit": TINY_BEIT, "vit": TINY_VIT, "hybrid": TINY_HYBRID}
    return random_midas(transformers[encoder])


def official_midas(encoder: str) -> State:
    """Return what an official file of a tiny network holds, with tensors that the network does not have."""
    network = tiny_midas(encoder)
    state: State = dict(network.state_dict())
    if encoder in ("swin", "swin2"):
        return state | official_extras(network.architecture)  # type: ignore[arg-type]
    if encoder in ("large", "small"):
        norms = [name.removesuffix("running_mean") for name in state if name.endswith("running_mean")]
        return state | {f"{norm}num_batches_tracked": torch.tensor(7) for norm in norms}
    index = {"pretrained.model.blocks.0.attn.relative_position_index": torch.zeros(5, 5, dtype=torch.int64)}
    classifier = {"pretrained.model.norm.weight": torch.ones(8), "pretrained.model.head.weight": torch.ones(3, 8)}
    return state | classifier | (index if encoder == "beit" else {})
