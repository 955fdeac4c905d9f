"""Tiny random networks as checkpoints and the ONNX files made of them, and the photographs of the tests."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from random_checkpoint import TINY, random_network, save_official

from depthrt.export.network.architecture import Architecture

if TYPE_CHECKING:
    from depthrt.export.checkpoint.checkpoint import Checkpoint
    from depthrt.export.to_onnx import Exported

PHOTOS = Path(__file__).parents[1] / "photos"


@dataclass(frozen=True)
class TinyModel:
    """A checkpoint in the official layout and the ONNX file made of it."""

    checkpoint: Path
    onnx: Path
    state: dict[str, torch.Tensor]


def export_tiny(
    folder: Path,
    *,
    architecture: Architecture = TINY,
    family: str = "depth-anything-v2",
    max_depth_m: float | None = None,
    **options: object,
) -> TinyModel:
    """Write a random network as a checkpoint and export it; the graphs of tiny networks are traced once a test run."""
    from shared_traces import shared_traces

    from depthrt.export.checkpoint.checkpoint import read_checkpoint
    from depthrt.export.to_onnx import export_onnx

    network = random_network(architecture, family=family, max_depth_m=max_depth_m)  # type: ignore[arg-type]
    path = save_official(network, folder / "tiny.pth")
    kind = "inverse" if max_depth_m is None else "metric"
    checkpoint = read_checkpoint(path, family=family, kind=kind, max_depth_m=max_depth_m)  # type: ignore[arg-type]
    with shared_traces() if architecture is TINY else nullcontext():
        export_onnx(checkpoint, folder / "tiny.onnx", **options)  # type: ignore[arg-type]
    return TinyModel(path, folder / "tiny.onnx", network.state_dict())


def read_inverse(tiny: TinyModel) -> Checkpoint:
    """Read the checkpoint of an inverse model."""
    from depthrt.export.checkpoint.checkpoint import read_checkpoint

    return read_checkpoint(tiny.checkpoint, family="depth-anything-v2", kind="inverse")


def export_again(tiny: TinyModel, path: Path, **options: object) -> Exported:
    """Export the checkpoint of an inverse tiny model with other options; its graphs are traced once a test run."""
    from shared_traces import shared_traces

    from depthrt.export.to_onnx import export_onnx

    with shared_traces():
        return export_onnx(read_inverse(tiny), path, **options)  # type: ignore[arg-type]
