"""Says before a training how much memory its step takes, from the network's own operations and arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from ...export.network.network import Network
from ..training.options import TrainOptions
from .recompute import recomputed_parts

MIB = 1 << 20
_FLOAT, _HALF = 4, 2  # bytes
_MOMENTS = 2  # of AdamW, for each weight
# Largest maps alive together in the backward pass of the head: gradients, and copies that the operators make. Measured
# on ViT-S at 392 px: 130 MiB beside what is kept, of maps of 10 MiB.
_BACKWARD = 8


@dataclass(frozen=True, slots=True)
class StepMemory:
    """Memory of a training step, without that of the driver and of libraries.

    Args:
        weights_mib: Of the network.
        gradients_mib: Of what is trained.
        optimiser_mib: Moments of AdamW.
        average_mib: Moving average of the weights.
        start_mib: Starting network, which distillation keeps to.
        kept_mib: What the forward pass keeps for the backward pass, of one batch.
        backward_mib: What the backward pass adds.
        trained, weights: Numbers of weights.
    """

    weights_mib: float
    gradients_mib: float
    optimiser_mib: float
    average_mib: float
    start_mib: float
    kept_mib: float
    backward_mib: float
    trained: int
    weights: int

    @property
    def total_mib(self) -> float:
        """Sum of all parts."""
        parts = (self.weights_mib, self.gradients_mib, self.optimiser_mib, self.average_mib, self.start_mib)
        return sum(parts) + self.kept_mib + self.backward_mib


@dataclass(slots=True)
class _Kept:
    """Storages that a forward pass keeps for the backward pass.

    Args:
        sizes: Bytes by storage.
        largest: Bytes of the largest.
        inside: Bytes kept inside each recomputed part.
        given: Bytes of each recomputed part's input.
    """

    sizes: dict[int, int] = field(default_factory=dict)
    largest: int = 0
    inside: list[int] = field(default_factory=list)
    given: list[int] = field(default_factory=list)
    alive: list[Tensor] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.sizes.values())


def step_memory(network: Network, options: TrainOptions, *, size_px: tuple[int, int], batch: int) -> StepMemory:
    """Return the memory of a training step; nothing is computed, and no memory is taken.

    Args:
        network: With requires_grad as it is trained, before recompute_parts.
        options: Of the training.
        size_px: (h, w) of the images.
        batch: Images in a batch.
    """
    weights = sum(parameter.numel() for parameter in network.parameters())
    trained = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    kept = _forward(network, options, size_px, batch)
    held, extra = kept.total, 0
    if options.recompute:
        held = kept.total - sum(kept.inside) + sum(kept.given)
        extra = max(kept.inside, default=0)
    return StepMemory(
        weights_mib=weights * _FLOAT / MIB,
        gradients_mib=trained * _FLOAT / MIB,
        optimiser_mib=trained * _MOMENTS * _FLOAT / MIB,
        average_mib=weights * _FLOAT / MIB if options.average_decay else 0.0,
        start_mib=_start_bytes(network, options) / MIB if options.distillation_weight else 0.0,
        kept_mib=held / MIB,
        backward_mib=(extra + _BACKWARD * kept.largest) / MIB,
        trained=trained,
        weights=weights,
    )


def free_memory(device: str) -> float | None:
    """Return the free memory of the GPU, MiB; None for the CPU, or if torch finds no GPU."""
    if device != "cuda" or not torch.cuda.is_available():
        return None
    return torch.cuda.mem_get_info()[0] / MIB


def _start_bytes(network: nn.Module, options: TrainOptions) -> int:
    weights = sum(parameter.numel() for parameter in network.parameters())
    return weights * (_HALF if options.bf16 else _FLOAT)


def _forward(network: Network, options: TrainOptions, size_px: tuple[int, int], batch: int) -> _Kept:
    """Trace a forward pass with tensors that have a shape and no values."""
    kept = _Kept()
    with FakeTensorMode() as fake, torch.random.fork_rng(devices=[]):
        tensors = {name: fake.from_tensor(value) for name, value in network.state_dict(keep_vars=True).items()}
        ours = {value.untyped_storage()._cdata for value in tensors.values()}
        images = torch.empty(batch, 3, *size_px)

        def keep(value: Tensor) -> Tensor:
            storage = value.untyped_storage()
            if storage._cdata not in ours and storage._cdata not in kept.sizes:
                kept.sizes[storage._cdata] = storage.nbytes()
                kept.largest = max(kept.largest, storage.nbytes())
                kept.alive.append(value)  # or another storage could get its number
            return value

        hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda value: value)
        with hooks, _watched(network, kept), torch.autocast("cpu", torch.bfloat16, enabled=options.bf16):
            torch.func.functional_call(_Values(network), {f"network.{name}": t for name, t in tensors.items()}, images)
    return kept


class _Values(nn.Module):
    """The network as a training calls it."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return self.network.values(images)


@contextmanager
def _watched(network: Network, kept: _Kept) -> Iterator[None]:
    """Note what each part that could be recomputed keeps, and its input."""
    before: list[int] = []

    def enter(module: nn.Module, inputs: tuple[object, ...]) -> None:
        before.append(kept.total)
        given = [value for value in inputs if isinstance(value, Tensor)]
        kept.given.append(sum(value.untyped_storage().nbytes() for value in given))

    def leave(module: nn.Module, inputs: object, output: object) -> None:
        kept.inside.append(kept.total - before.pop())

    hooks = []
    for part in recomputed_parts(network):
        hooks += [part.register_forward_pre_hook(enter), part.register_forward_hook(leave)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
