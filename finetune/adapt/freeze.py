"""Decides which weights of a network are trained, and keeps what is frozen exactly as it is."""

from __future__ import annotations

import re

from torch import nn

from ...engine.errors import InputError
from ...export.network.network import Network
from ..training.options import TrainOptions
from .lora import is_base, is_update

# The encoder's parameters by their published names; MiDaS has the head's first layers beside its encoder.
_ENCODER = re.compile(r"^pretrained\.(?!act_postprocess)")
# Parameters of every published file that no forward pass reads.
_UNUSED = (
    "pretrained.mask_token",
    "depth_head.scratch.refinenet4.resConfUnit1.",
    "scratch.refinenet4.resConfUnit1.",  # MiDaS
)
_BLOCK = re.compile(r"^pretrained\.(?:(?:model\.)?(?:blocks|stages)\.(\d+)|layer(\d))\.")
_LAST_NORM = "pretrained.norm."  # after the last block


def freeze(network: Network, options: TrainOptions) -> None:
    """Set which parameters of a network get a gradient.

    Args:
        network: Changed in place; with the updates of LoRA, if it has any.
        options: Which parts are frozen.

    Raises:
        InputError: The encoder has fewer blocks than are to be frozen, or nothing would be trained.
    """
    blocks = count_blocks(network)
    if options.freeze_blocks > blocks:
        raise InputError(
            f"freeze_blocks is {options.freeze_blocks}, and the encoder {network.architecture.encoder} has {blocks} "
            "blocks; give as many or fewer"
        )
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(_is_trained(name, options, blocks))
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise InputError("all weights are frozen; freeze less")


def hold_norms(network: nn.Module) -> None:
    """Put batch norms with frozen weights into eval mode, in which their running means do not move."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            weights = list(module.parameters())
            if weights and not any(parameter.requires_grad for parameter in weights):
                module.eval()


def is_encoder(name: str) -> bool:
    """Return whether a parameter is of the encoder, by its published name."""
    return bool(_ENCODER.match(name))


def block_of(name: str, blocks: int) -> int:
    """Return the number of the encoder's block that a parameter of the encoder is of.

    Args:
        name: By the published names.
        blocks: Number of blocks.

    Returns:
        -1 for what comes before the blocks; `blocks` for the norm after them.
    """
    if name.startswith(_LAST_NORM):
        return blocks
    match = _BLOCK.match(name)
    if match is None:
        return -1
    return int(match[1]) if match[1] else int(match[2]) - 1  # MiDaS 2.1 counts its layers from 1


def count_blocks(network: nn.Module) -> int:
    """Return the number of blocks of the encoder."""
    return 1 + max((block_of(name, -1) for name, _ in network.named_parameters()), default=-1)


def _is_trained(name: str, options: TrainOptions, blocks: int) -> bool:
    if name.startswith(_UNUSED) or is_base(name):
        return False
    if not is_encoder(name):
        return not options.freeze_decoder
    if options.freeze_encoder or (options.freeze_blocks and block_of(name, blocks) < options.freeze_blocks):
        return False
    return is_update(name) or not options.lora_rank
