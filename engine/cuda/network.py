"""A network on a GPU as the pipeline calls it: one image, from address to address, on a stream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class NetworkCall:
    """What a network is to compute for one image.

    Args:
        input: Address of the input on the GPU, (1, 3, h, w) float32.
        output: Address of the output on the GPU, (1, h, w) float32.
        input_px: (h, w).
        stream: Handle (CUstream) of the stream to put the work on; each slot has another.
    """

    input: int
    output: int
    input_px: tuple[int, int]
    stream: int


# Puts the network's work on the stream and returns without waiting. It is called with the GPU's context current, and
# by several threads at once.
Network = Callable[[NetworkCall], None]


@runtime_checkable
class Recordable(Protocol):
    """A network that knows whether its work can be recorded as a CUDA graph."""

    def check_recordable(self, stream: int) -> None:
        """Raise CallRefused if the work that it puts on a stream cannot be recorded; the GPU's context is current."""
