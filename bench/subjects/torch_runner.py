"""A checkpoint's torch network as a runner, eager or compiled, which is measured like a model file."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...engine.errors import BackendUnavailable, InputError
from ...engine.images.limits import Limits
from ...engine.model.depth_model import DepthModel
from ...engine.modelfile.canary import FORMULA
from ...engine.modelfile.contract import Canary, Contract
from ...engine.system.cores import usable_cores
from ...engine.terms import HardwareDevice, Precision
from ...export.checkpoint.checkpoint import Checkpoint, load_network
from ...export.make_contract import make_contract, size_rule
from ...export.network.network import Network
from .checkpoint_options import CheckpointOptions, TorchPrecision
from .torch_threads import use_torch_threads

DTYPES: dict[TorchPrecision, torch.dtype] = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
_Answer = Callable[[Tensor], Tensor | tuple[Tensor, ...]]
# Canaries are made with the float32 network, so it carries none.
_NO_CANARY = Canary(FORMULA, (0, 0), 1, "", 0.0)


@dataclass(frozen=True, slots=True)
class TorchForm:
    """How torch runs a network.

    Args:
        device: "cpu" or "cuda".
        precision: Of weights and arithmetic; input and output are always float32.
        compiled: By torch.compile, on the first run of each size.
        threads: On the CPU, for the whole process; None takes the cores that it may use.
    """

    device: HardwareDevice = "cpu"
    precision: TorchPrecision = "fp32"
    compiled: bool = False
    threads: int | None = None


class TorchRunner:
    """A torch network; `run` is safe from several threads."""

    def __init__(self, network: Network, form: TorchForm) -> None:
        if form.device == "cuda" and not torch.cuda.is_available():
            raise BackendUnavailable("torch finds no CUDA device; `depthrt doctor` says why, --device cpu works")
        self.name = "torch.compile" if form.compiled else "torch"
        self.provider: str = form.device
        self.precision: Precision = form.precision
        self.notes: tuple[str, ...] = _notes(form)
        self._dtype = DTYPES[form.precision]
        # The weights of a network just read may be mapped from the file, and would be read while they are timed.
        placed = copy.deepcopy(network).to(form.device, self._dtype)
        answer: _Answer = placed.with_sky if placed.has_sky else placed
        self._network: _Answer | None = torch.compile(answer) if form.compiled else answer

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the network's output (N, h, w) float32 for inputs (N, 3, h, w) float32; blocks.

        Raises:
            BackendUnavailable: torch cannot compile the network, or memory is short.
        """
        return self._run(batch)[0]

    def run_with_sky(self, batch: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return depth and the value for the sky, each (N, h, w) float32, of a network that has it; as run."""
        depth, sky = self._run(batch)
        return depth, sky

    def _run(self, batch: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return every output of the network."""
        if self._network is None:
            raise InputError("this model is closed; load it again")
        try:
            with torch.inference_mode():
                answer = self._network(torch.from_numpy(batch).to(self.provider, self._dtype))
                parts = answer if isinstance(answer, tuple) else (answer,)
                outputs: list[NDArray[np.float32]] = [part.float().cpu().numpy() for part in parts]
        except RuntimeError as error:  # from the compiler or the allocator
            raise BackendUnavailable(f"{self.name} fails on this machine: {_first_line(error)}") from error
        return outputs

    def synchronise(self) -> None:
        """Wait for the device."""
        if self.provider == "cuda":
            torch.cuda.synchronize()

    def close(self) -> None:
        """Drop the network."""
        self._network = None


def open_torch(path: Path, options: CheckpointOptions, form: TorchForm) -> DepthModel:
    """Load a checkpoint as a model that torch runs.

    Raises:
        ModelFileError, InputError: As read_checkpoint.
        BackendUnavailable: torch finds no CUDA device.
    """
    checkpoint = options.read(path)
    use_torch_threads(form.threads or usable_cores())
    runner = TorchRunner(load_network(checkpoint), form)
    return DepthModel(runner, torch_contract(checkpoint, options.size, form.precision), limits=Limits())


def torch_contract(checkpoint: Checkpoint, size: int | tuple[int, int] | None, precision: Precision) -> Contract:
    """Return the contract of the checkpoint's export, without a canary.

    Args:
        size: As in export_onnx.
        precision: Of the arithmetic.
    """
    rule = size_rule(checkpoint, size)
    return make_contract(checkpoint, rule, precision=precision, attention="plain", canary=_NO_CANARY)


def _notes(form: TorchForm) -> tuple[str, ...]:
    if form.device == "cuda" and form.precision == "fp32" and torch.backends.cudnn.allow_tf32:
        return ("torch's float32 convolutions run in TF32 on this GPU, its default",)
    return ()


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
