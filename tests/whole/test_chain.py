"""The whole way: official checkpoint, export, ONNX Runtime, depth at the image's size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from random_checkpoint import TINY, VITS, random_network, save_official
from reference_depth_anything import reference_infer
from tiny_model import PHOTOS, TinyModel

import depthrt
from depthrt.engine.terms import Family
from depthrt.export.checkpoint.checkpoint import read_checkpoint
from depthrt.export.network.architecture import Architecture
from depthrt.export.to_onnx import export_onnx

TOLERANCE = 1e-4  # of the range: the bar for float32. A wrong resize, table or epsilon costs 1e-3 to 0.3
METRIC_M = 20.0
OFFICIAL_PX = 518

V1: Family = "depth-anything-v1"
V2: Family = "depth-anything-v2"


def landscape() -> np.ndarray:
    image = cv2.imread(str(PHOTOS / "coffee.jpg"))
    assert image is not None
    return cv2.resize(image, (640, 480), interpolation=cv2.INTER_AREA)


def portrait() -> np.ndarray:
    return np.ascontiguousarray(np.rot90(landscape()))


@dataclass(frozen=True)
class Official:
    """A random network as the official repositories save it, and the official depth of two images.

    Args:
        checkpoint: The file.
        family, max_depth_m: Of the network.
        landscape, portrait: (H, W) float32, at the size of `landscape()` and `portrait()`.
    """

    checkpoint: Path
    family: Family
    max_depth_m: float | None
    landscape: np.ndarray
    portrait: np.ndarray

    def export(self, path: Path, size: int | tuple[int, int]) -> Path:
        """Export the checkpoint."""
        kind = "inverse" if self.max_depth_m is None else "metric"
        checkpoint = read_checkpoint(
            self.checkpoint,
            family=self.family,
            kind=kind,  # type: ignore[arg-type]
            max_depth_m=self.max_depth_m,
        )
        return export_onnx(checkpoint, path, size=size).path


def make_official(
    folder: Path, architecture: Architecture, family: Family, max_depth_m: float | None, base_px: int
) -> Official:
    network = random_network(architecture, family=family, max_depth_m=max_depth_m)
    saved = save_official(network, folder / "checkpoint.pth")
    return official_of(saved, network.state_dict(), family, max_depth_m, base_px)


def official_of(
    saved: Path, state: dict[str, torch.Tensor], family: Family, max_depth_m: float | None, base_px: int
) -> Official:
    depths = (
        reference_infer(state, image, family, max_depth_m, base_px=base_px) for image in (landscape(), portrait())
    )
    return Official(saved, family, max_depth_m, *depths)


def check(found: np.ndarray, official: np.ndarray) -> None:
    assert np.abs(found - official).max() <= TOLERANCE * np.ptp(official)


def check_both(path: Path, official: Official) -> None:
    with depthrt.load(path) as model:
        check(model.infer(landscape()).values, official.landscape)
        check(model.infer(portrait()).values, official.portrait)


def test_a_dynamic_file_gives_the_official_depth(tmp_path: Path) -> None:
    small = make_official(tmp_path, VITS, V2, None, OFFICIAL_PX)  # Depth Anything V2 Small at its own size
    check_both(small.export(tmp_path / "model.onnx", OFFICIAL_PX), small)


# The rest of the chain is the same for every size of layers: test_depth_anything.py holds the networks themselves, with
# as many blocks as Large and Giant have.
def test_a_dynamic_file_of_the_first_version_gives_the_official_depth(tmp_path: Path) -> None:
    deeper = replace(TINY, depth=8)  # the least depth at which V1 and V2 take different blocks
    official = make_official(tmp_path, deeper, V1, None, 252)
    check_both(official.export(tmp_path / "model.onnx", 252), official)


def test_a_dynamic_metric_file_gives_the_official_depth(tiny_metric: TinyModel) -> None:
    check_both(tiny_metric.onnx, official_of(tiny_metric.checkpoint, tiny_metric.state, V2, METRIC_M, 126))


def test_a_static_file_of_the_official_size_gives_the_official_depth(tmp_path: Path) -> None:
    size = (686, OFFICIAL_PX)
    official = make_official(tmp_path, TINY, V2, None, OFFICIAL_PX)
    with depthrt.load(official.export(tmp_path / "model.onnx", size)) as model:
        depth = model.infer(portrait())
    assert depth.provenance.input_px == size
    check(depth.values, official.portrait)
