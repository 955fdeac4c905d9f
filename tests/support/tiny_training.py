"""A training that takes a second: a tiny network, batches of tilted planes, and validations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from random_checkpoint import TINY, random_network
from torch import Tensor

from depthrt.export.network.architecture import ConvArchitecture
from depthrt.export.network.conv_depth import ConvDepth
from depthrt.export.network.network import Network
from depthrt.finetune.data.batches import Batch, BatchSource, Validation
from depthrt.finetune.training.log import read_log
from depthrt.finetune.training.options import TrainOptions
from depthrt.finetune.training.train import TrainResult, train
from depthrt.finetune.training.training_state import STATE_NAME

QUICK = TrainOptions(
    steps=12,
    learning_rate=2e-3,
    encoder_factor=0.5,
    warmup_steps=2,
    validate_every=4,
    save_every=5,
    average_decay=0.9,
    scaled_weight=0.1,
    judge="error",
    bf16=False,
)
SMALL_CONVOLUTIONS = ConvArchitecture((8, 8, 32, 32), (1, 1, 1, 1), features=8)


@dataclass(frozen=True)
class _Observed(Batch):
    """A batch that calls back when a step takes it, which is later than when the batch is made."""

    on_step: Callable[[], None]

    def to(self, device: torch.device) -> Batch:
        self.on_step()
        return super().to(device)


@dataclass
class Planes:
    """Batches of tilted planes whose brightness is their inverse depth."""

    size_px: tuple[int, int] = (28, 28)
    on_batch: Callable[[int], None] = lambda index: None
    asked: list[int] = field(default_factory=list)

    def batch(self, index: int) -> Batch:
        self.asked.append(index)
        generator = torch.Generator().manual_seed(index)
        slopes = torch.rand((2, 3, 1, 1), generator=generator)
        rows, columns = (torch.linspace(0, 1, side) for side in self.size_px)
        inverse = 0.2 + slopes[:, 0] * rows[:, None] + slopes[:, 1] * columns
        grain = torch.rand((2, 3, *self.size_px), generator=generator)
        images = (0.4 * inverse[:, None] + 0.05 * grain).clamp(0, 1)
        known = torch.ones_like(inverse, dtype=torch.bool)
        return _Observed(images, 1 / inverse, known, on_step=lambda: self.on_batch(index))


@dataclass
class Scores:
    """A validation that returns given scores in order."""

    scores: list[float]

    def measure(self, network: Network) -> Mapping[str, float]:
        assert not network.training
        return {"error": self.scores.pop(0)}


@dataclass
class Brightness:
    """A validation that measures the network: 1 minus the correlation of its answer with inverse depth."""

    size_px: tuple[int, int] = (28, 28)

    def measure(self, network: Network) -> Mapping[str, float]:
        batch = Planes(self.size_px).batch(10_000)
        answer = network(batch.normalised()).detach()
        return {"error": 1 - float(torch.corrcoef(torch.stack([answer.flatten(), batch.inverse().flatten()]))[0, 1])}


def run(
    out: Path,
    options: TrainOptions = QUICK,
    *,
    network: Network | None = None,
    source: BatchSource | None = None,
    validation: Validation | None = None,
    resume: bool = False,
) -> TrainResult:
    """Train a tiny network, or the given one."""
    network = network or random_network(TINY)
    return train(network, source or Planes(), validation, options, out, resume=resume, quiet=True)


def small_convolutions() -> ConvDepth:
    """Return a network with batch norms; every call returns the same weights."""
    torch.manual_seed(0)
    return ConvDepth(SMALL_CONVOLUTIONS, norms=True)


def losses(out: Path) -> list[float]:
    """Return the loss of each step from the log."""
    found = [line.figures["loss"] for line in read_log(out) if line.event == "step"]
    assert None not in found
    return [loss for loss in found if loss is not None]


def weights(out: Path, part: str = "network") -> dict[str, Tensor]:
    """Return a part of the saved state: network, average, optimiser or course."""
    state: dict[str, dict[str, Tensor]] = torch.load(out / STATE_NAME, weights_only=True)
    return state[part]


def assert_same(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> None:
    """Hold that two state dicts are equal bit by bit."""
    assert list(first) == list(second)
    for name, value in first.items():
        assert torch.equal(value, second[name]), name
