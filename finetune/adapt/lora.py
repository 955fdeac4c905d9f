"""LoRA: small updates of the encoder's matrices are trained in place of them, and added to them in the end.

Source: Hu et al. 2021, LoRA, section 4; the layers are those of the package peft.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from ...engine.errors import BackendUnavailable, InputError
from ...export.network.network import Network

ALPHA_OVER_RANK = 2.0  # updates are multiplied by it. Source: the repository of LoRA, whose alpha is twice the rank
_MATRICES = r"pretrained\..*\.(attn|mlp)\.(qkv|proj|fc1|fc2|w12|w3)"
_BASE, _UPDATE = ".base_layer.", ".lora_"


def is_update(name: str) -> bool:
    """Return whether a parameter is of an update."""
    return _UPDATE in name


def is_base(name: str) -> bool:
    """Return whether a parameter is of a layer that has an update."""
    return _BASE in name


def add_updates(network: Network, rank: int, seed: int) -> None:
    """Give the encoder's linear layers updates of a rank, which are zero at first.

    Args:
        network: Changed in place.
        rank: 1 or more.
        seed: Of the first factors.

    Raises:
        BackendUnavailable: peft is missing.
        InputError: The encoder has no linear layers.
    """
    if not any(isinstance(module, nn.Linear) for module in network.get_submodule("pretrained").modules()):
        raise InputError(
            f"the encoder {network.architecture.encoder} has no linear layers, which LoRA updates; train it "
            "in full, or freeze a part of it"
        )
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise BackendUnavailable("peft is missing, which LoRA needs; pip install 'depthrt[finetune]'") from error
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = LoraConfig(r=rank, lora_alpha=round(rank * ALPHA_OVER_RANK), target_modules=_MATRICES)
        inject_adapter_in_model(config, network)


def with_updates_added(network: Network) -> Network:
    """Return a network whose matrices have their updates added, a copy if there are any."""
    if not any(map(is_base, network.state_dict())):
        return network
    plain = copy.deepcopy(network)
    for module in list(plain.modules()):
        for name, child in module.named_children():
            if hasattr(child, "lora_A"):
                setattr(module, name, _sum(child))
    return plain


def _sum(layer: Any) -> nn.Module:  # noqa: ANN401 (a layer of peft, which has no types)
    """Return the linear layer inside a layer of peft, with the update added."""
    layer.merge()
    base: nn.Module = layer.get_base_layer()
    return base
