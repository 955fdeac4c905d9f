"""The process group of a training: a single process, or as many as torchrun started.

accelerate 1.15 was tried: 95 lines for 99, but 8 % more CPU time at import and 4.5 MB more (with psutil). Its state is
global, so a second training on another device needs its private `_reset_state`, which would end the caller's group too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

TIMEOUT = timedelta(hours=12)  # of a collective call: the other processes wait in one while the first validates


@dataclass(frozen=True, slots=True)
class Group:
    """A process and the group that it trains in.

    Args:
        rank: Number of this process, from 0.
        size: Number of processes.
        device: Device of this process.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process writes files and validates."""
        return self.rank == 0

    def wrap(self, model: nn.Module) -> nn.Module:
        """Return a module whose backward pass averages gradients over all processes."""
        return model if self.size == 1 else DistributedDataParallel(model)

    def hold_back(self, model: nn.Module, hold: bool) -> AbstractContextManager[None]:
        """Return a context in which gradients are not averaged, because more batches of the same step follow."""
        if hold and isinstance(model, DistributedDataParallel):
            context: AbstractContextManager[None] = model.no_sync()
            return context
        return nullcontext()

    def any(self, flag: bool) -> bool:
        """Return whether the flag is set in any process; all processes must call this at the same point."""
        if self.size == 1:
            return flag
        flags = torch.tensor([int(flag)], device=self.device)
        dist.all_reduce(flags, op=dist.ReduceOp.MAX)
        return bool(flags.item())

    def mean(self, figures: Mapping[str, float]) -> dict[str, float]:
        """Return the mean of each figure over all processes; all processes must call this at the same point."""
        if self.size == 1:
            return dict(figures)
        values = torch.tensor(list(figures.values()), device=self.device)
        dist.all_reduce(values)
        return dict(zip(figures, (values / self.size).tolist(), strict=True))

    def wait(self) -> None:
        """Wait until every process has called this."""
        self.any(False)  # needs all processes; NCCL's barrier would guess the device

    def of_first(self, number: int) -> int:
        """Return the number that the first process gave; all processes must call this at the same point."""
        if self.size == 1:
            return number
        sent = torch.tensor([number], device=self.device)
        dist.broadcast(sent, src=0)
        return int(sent.item())


def announced_group() -> tuple[int, int]:
    """Return (rank, size) as torchrun sets them in the environment; (0, 1) without torchrun."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    return (int(os.environ["RANK"]) if size > 1 else 0), size


def speaks_for_all() -> bool:
    """Return whether this is the process that writes files and says things, of those that torchrun started."""
    return announced_group()[0] == 0


@contextmanager
def join_group(device: str) -> Iterator[Group]:
    """Join the group that torchrun announces in the environment; without torchrun the group is this process.

    Args:
        device: "cpu" or "cuda"; under torchrun, "cuda" becomes the GPU of the process's local rank.
    """
    if announced_group()[1] == 1:
        yield Group(0, 1, torch.device(device))
        return
    local = torch.device(device, int(os.environ["LOCAL_RANK"])) if device == "cuda" else torch.device(device)
    dist.init_process_group("nccl" if device == "cuda" else "gloo", timeout=TIMEOUT)
    try:
        yield Group(dist.get_rank(), dist.get_world_size(), local)
    finally:
        dist.destroy_process_group()
