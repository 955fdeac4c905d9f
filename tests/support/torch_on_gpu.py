"""A torch network that runs between depthrt's kernels, on the memory and the stream of a pipeline."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from depthrt.engine.cuda.network import NetworkCall


class TorchNetwork:
    """A torch network as the Network of engine/cuda/network.py.

    Args:
        network: Network on the GPU, with weights of one type.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network, self._dtype = network, next(network.parameters()).dtype

    def __call__(self, call: NetworkCall) -> None:
        """Put the network's work on the stream."""
        batch, depth = at_address(call.input, (1, 3, *call.input_px)), at_address(call.output, (1, *call.input_px))
        stream = torch.cuda.ExternalStream(call.stream)
        with torch.cuda.stream(stream), torch.inference_mode():
            depth.copy_(self._network(batch.to(self._dtype)))


def at_address(address: int, shape: tuple[int, ...]) -> Tensor:
    """Return float32 memory on the GPU as a tensor."""
    interface = {"data": (address, False), "shape": shape, "typestr": "<f4", "strides": None, "version": 2}
    return torch.as_tensor(type("Memory", (), {"__cuda_array_interface__": interface})(), device="cuda")
