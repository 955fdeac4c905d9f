"""A float32 network is converted to a lower precision; some modules stay in float32."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..engine.terms import Precision
from .network.attention import Attention

DTYPES: dict[Precision, torch.dtype] = {
    "fp32": torch.float32,
    "fp16": torch.float16,
    "fp16-safe": torch.float16,
    "bf16": torch.bfloat16,
    "int8": torch.float32,  # the graph is quantised, not the network
}


class InFloat32(nn.Module):
    """A module that computes in float32; its inputs and outputs have another type."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module.float()

    def forward(self, values: Tensor) -> Tensor:
        """Return the module's output in the type of the input."""
        answer: Tensor = self.module(values.float())
        return answer.to(values.dtype)


def set_precision(network: nn.Module, precision: Precision) -> torch.dtype:
    """Convert a network to a precision, in place.

    "fp16" and "bf16" convert all of the network, but in bf16 the transposed convolutions stay float32, because
    TensorRT has none in bf16. "fp16-safe" is fp16 with the layer norms and the softmax in float32, for weights
    whose activations leave the range of fp16; it needs plain attention, which has a softmax in the graph.

    Returns:
        The type of the network's input and output.
    """
    dtype = DTYPES[precision]
    network.to(dtype)
    if precision == "fp16-safe":
        _replace(network, nn.LayerNorm, InFloat32)
        for module in network.modules():
            if isinstance(module, Attention):
                module.softmax_dtype = torch.float32
    if precision == "bf16":
        _replace(network, nn.ConvTranspose2d, InFloat32)
    return dtype


def _replace(parent: nn.Module, module: type[nn.Module], make: Callable[[nn.Module], nn.Module]) -> None:
    """Replace every module of a type below `parent` by make(module)."""
    for name, child in list(parent.named_children()):
        if isinstance(child, module):
            setattr(parent, name, make(child))
        else:
            _replace(child, module, make)
