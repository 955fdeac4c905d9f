"""A float32 network is converted to a lower precision; some modules stay in float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from ..engine.terms import Precision
from .network.attention import Attention
from .network.midas.swin.attention import UnitVectors
from .network.network import Network

DTYPES: dict[Precision, torch.dtype] = {
    "fp32": torch.float32,
    "fp16": torch.float16,
    "fp16-safe": torch.float16,
    "bf16": torch.bfloat16,
    "int8": torch.float32,  # the graph is quantised, not the network
}

# Modules that stay in float32, by precision, and why. The softmax of "fp16-safe" is one of them, inside Attention.
#
# UnitVectors: squares overflow at 256 in half precision. Rounded after every operator, dpt_swin2_tiny_256 with random
#     weights drifts 6.2e-4 with this row and 8.1e-2 without it once queries and keys are 30 times longer; 6.9e-4 and
#     6.7e-4 as they are.
# LayerNorm: for weights whose activations leave the range of half precision.
# ConvTranspose2d: TensorRT has none in bf16.
#
# Network.float32_parts stay in float32 in every precision. ZoeDepth's bins: their logits reach 580 and are divided by a
#     temperature down to 0.02. Rounded after every operator, six tiny networks with random weights drift 6e-4 to 9e-4
#     (fp16) and 4e-3 to 1e-2 (bf16) with them in float32, 7e-4 to 1.4e-3 and 5e-3 to 1e-2 without. Of nine with low
#     temperatures one drifts 1.5e-2 in fp16 either way, the others 6e-4 to 1.4e-3 with and 1e-3 to 1e-2 without; in
#     bf16 one NK drifts 0.55 either way, as an image between its two routes can take the other.
FLOAT32_MODULES: Mapping[Precision, tuple[type[nn.Module], ...]] = {
    "fp16": (UnitVectors,),
    "fp16-safe": (UnitVectors, nn.LayerNorm),
    "bf16": (UnitVectors, nn.ConvTranspose2d),
}


class InFloat32(nn.Module):
    """A module that computes in float32; its inputs and outputs have another type.

    Inputs are tensors, or lists and tuples of tensors; the first decides the type of the outputs.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module.float()

    def forward(self, *values: object) -> object:
        """Return the module's outputs in the type of the first input."""
        return _cast(self.module(*(_cast(value, torch.float32) for value in values)), _type_of(values))


def set_precision(network: nn.Module, precision: Precision) -> torch.dtype:
    """Convert a network to a precision, in place.

    "fp16" and "bf16" convert all of the network but FLOAT32_MODULES and its float32_parts. "fp16-safe" is fp16 with the
    layer norms and the softmax in float32, for weights whose activations leave the range of fp16; it needs plain
    attention, which has a softmax in the graph.

    Returns:
        The type of the network's input and output.
    """
    dtype = DTYPES[precision]
    kept = getattr(network, "float32_parts", ())
    converted = [child for name, child in network.named_children() if name not in kept] if kept else [network]
    for part in converted:
        part.to(dtype)
        for kind in FLOAT32_MODULES.get(precision, ()):
            _replace(part, kind, InFloat32)
    if precision == "fp16-safe":
        for module in network.modules():
            if isinstance(module, Attention):
                module.softmax_dtype = torch.float32
    return dtype


def kinds_in_float32(network: Network, precision: Precision) -> tuple[str, ...]:
    """Return which kinds of modules set_precision leaves in float32, by the names of their classes or children."""
    if DTYPES[precision] == torch.float32:
        return ()
    modules = list(network.modules())
    kinds = [kind.__name__ for kind in FLOAT32_MODULES[precision] if any(isinstance(one, kind) for one in modules)]
    if precision == "fp16-safe" and any(isinstance(one, Attention) for one in modules):
        kinds.append("softmax")
    return (*kinds, *network.float32_parts)


def _cast(values: object, dtype: torch.dtype) -> object:
    """Convert tensors of floats, alone or in lists and tuples; anything else stays as it is."""
    if isinstance(values, Tensor):
        return values.to(dtype) if values.is_floating_point() else values
    if isinstance(values, list | tuple):
        return type(values)(_cast(value, dtype) for value in values)
    return values


def _type_of(values: object) -> torch.dtype:
    """Return the type of a tensor, or of the first in a list or tuple."""
    while isinstance(values, list | tuple):
        values = values[0]
    assert isinstance(values, Tensor)
    return values.dtype


def _replace(parent: nn.Module, module: type[nn.Module], make: Callable[[nn.Module], nn.Module]) -> None:
    """Replace every module of a type below `parent` by make(module), but not inside modules in float32."""
    for name, child in list(parent.named_children()):
        if isinstance(child, module):
            setattr(parent, name, make(child))
        elif not isinstance(child, InFloat32):
            _replace(child, module, make)
