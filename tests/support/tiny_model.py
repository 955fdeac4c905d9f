"""Tiny random networks as checkpoints and the ONNX files made of them, and the photographs of the tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from random_checkpoint import TINY, random_network, save_official

from depthrt.export.network.architecture import Architecture

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
    from depthrt.export.checkpoint.checkpoint import read_checkpoint
    from depthrt.export.to_onnx import export_onnx

    network = random_network(architecture, family=family, max_depth_m=max_depth_m)  # type: ignore[arg-type]
    path = save_official(network, folder / "tiny.pth")
    kind = "inverse" if max_depth_m is None else "metric"
    checkpoint = read_checkpoint(path, family=family, kind=kind, max_depth_m=max_depth_m)  # type: ignore[arg-type]
    export_onnx(checkpoint, folder / "tiny.onnx", **options)  # type: ignore[arg-type]
    return TinyModel(path, folder / "tiny.onnx", network.state_dict())
