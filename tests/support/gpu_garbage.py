"""Memory on a GPU that only Python's garbage collector frees, such as forgotten depth in a reference cycle."""

from __future__ import annotations

from depthrt.engine.cuda.driver.gpu import Cuda
from depthrt.engine.cuda.driver.parts import DeviceMemory

MANY = 20_000  # containers; the collector becomes due several times


class Forgotten:
    """Owns memory on the GPU and refers to itself."""

    def __init__(self, gpu: Cuda) -> None:
        self.memory, self.itself = DeviceMemory(gpu, 1000), self

    def __del__(self) -> None:
        self.memory.close()


def make_collector_due() -> None:
    """Make so many containers that the garbage collector runs, unless it is paused."""
    kept: list[list[int]] = [[] for _ in range(MANY)]
    kept.clear()
