"""Memory on a GPU that only Python's garbage collector frees, as it does a depth that somebody forgot in a cycle."""

from __future__ import annotations

from depthrt.engine.cuda.driver.gpu import Cuda
from depthrt.engine.cuda.driver.parts import DeviceMemory

MANY = 20_000  # containers, so that the collector is due several times


class Forgotten:
    """Owns memory and is part of a cycle."""

    def __init__(self, gpu: Cuda) -> None:
        self.memory, self.itself = DeviceMemory(gpu, 1000), self

    def __del__(self) -> None:
        self.memory.close()


def make_collector_due() -> None:
    """Make more containers than the collector lets pass."""
    kept: list[list[int]] = [[] for _ in range(MANY)]
    kept.clear()
