"""Options of a checkpoint that is measured; they travel into other processes without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from ...engine.terms import Family, Kind, WhichWeights
    from ...export.checkpoint.checkpoint import Checkpoint

TorchPrecision = Literal["fp32", "fp16", "bf16"]
TORCH_PRECISIONS: tuple[TorchPrecision, ...] = get_args(TorchPrecision)


@dataclass(frozen=True, slots=True)
class CheckpointOptions:
    """How a checkpoint is read, and the size of its network.

    Args:
        size: Short side in px, or (H, W), or None for the family's own; as in `depthrt export`.
        family, kind, max_depth_m, weights: As in read_checkpoint.
    """

    size: int | tuple[int, int] | None = None
    family: Family | None = None
    kind: Kind | None = None
    max_depth_m: float | None = None
    weights: WhichWeights = "auto"

    def read(self, path: Path) -> Checkpoint:
        """Read the checkpoint; errors as read_checkpoint."""
        from ...export.checkpoint.checkpoint import read_checkpoint

        return read_checkpoint(
            path, family=self.family, kind=self.kind, max_depth_m=self.max_depth_m, weights=self.weights
        )
