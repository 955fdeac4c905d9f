"""Makes parts of a network compute their inside again in the backward pass, so that it need not be kept till then.

Source: Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from ...export.network.network import Network

_PARTS = re.compile(
    r"pretrained\.((model\.)?(blocks|stages)\.\d+|layer\d)|(depth_head\.)?scratch\.(refinenet\d|output_conv2)"
)


def recompute_parts(network: Network) -> None:
    """Let the encoder's blocks and the head's fusions recompute their inside; names, weights and answers stay.

    Parts with batch norms, which would count each batch twice, are left as they are.

    Args:
        network: Changed in place; a copy of it recomputes too.
    """
    for part in recomputed_parts(network):
        # A wrapping module would change the names of weights.
        part.__class__ = _recomputing(type(part))


def recomputed_parts(network: Network) -> list[nn.Module]:
    """Return the parts that recompute_parts changes."""
    found = [module for name, module in network.named_modules() if _PARTS.fullmatch(name)]
    norms = nn.modules.batchnorm._BatchNorm
    return [part for part in found if not any(isinstance(module, norms) for module in part.modules())]


_RECOMPUTING: dict[type[nn.Module], type[nn.Module]] = {}  # by the class that they are made of


def _recomputing(kind: type[nn.Module]) -> type[nn.Module]:
    """Return a subclass of a module's class that recomputes in training, one for each class."""
    if kind not in _RECOMPUTING:
        _RECOMPUTING[kind] = _make_recomputing(kind)
    return _RECOMPUTING[kind]


def _make_recomputing(kind: type[nn.Module]) -> type[nn.Module]:
    class Recomputing(kind):  # type: ignore[misc, valid-type]
        def forward(self, *inputs: Any) -> Any:  # noqa: ANN401 (those of the module)
            if not torch.is_grad_enabled():
                return super().forward(*inputs)
            return checkpoint(super().forward, *inputs, use_reentrant=False)

    Recomputing.__name__ = f"Recomputing{kind.__name__}"
    return Recomputing
