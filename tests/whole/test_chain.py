"""The whole way: official checkpoint, export, ONNX Runtime, depth at the image's size."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from random_checkpoint import VITB, VITL, VITS, random_network, save_official
from reference_depth_anything import reference_infer
from tiny_model import PHOTOS

import depthrt
from depthrt.engine.terms import Family
from depthrt.export.checkpoint.checkpoint import read_checkpoint
from depthrt.export.network.architecture import Architecture
from depthrt.export.to_onnx import export_onnx

TOLERANCE = 1e-4  # of the range: the bar for float32. A wrong resize, table or epsilon costs 1e-3 to 0.3
METRIC_M = 20.0

V1: Family = "depth-anything-v1"
V2: Family = "depth-anything-v2"


def landscape() -> np.ndarray:
    image = cv2.imread(str(PHOTOS / "coffee.jpg"))
    assert image is not None
    return cv2.resize(image, (640, 480), interpolation=cv2.INTER_AREA)


def portrait() -> np.ndarray:
    return np.ascontiguousarray(np.rot90(landscape()))


def export(
    folder: Path, architecture: Architecture, family: Family, max_depth_m: float | None, size: int | tuple[int, int]
) -> tuple[Path, dict[str, torch.Tensor]]:
    network = random_network(architecture, family=family, max_depth_m=max_depth_m)
    path = save_official(network, folder / "checkpoint.pth")
    checkpoint = read_checkpoint(
        path, family=family, kind="inverse" if max_depth_m is None else "metric", max_depth_m=max_depth_m
    )
    export_onnx(checkpoint, folder / "model.onnx", size=size)
    return folder / "model.onnx", network.state_dict()


# Each encoder and each kind of head once: test_network.py holds that they combine freely. B and L run at smaller
# sizes: their own 518 takes minutes, and the size rule is the same.
@pytest.mark.parametrize(
    ("architecture", "family", "max_depth_m", "base_px"),
    [
        pytest.param(VITS, V2, None, 518, id="v2-vits"),
        pytest.param(VITB, V1, None, 252, id="v1-vitb"),
        pytest.param(VITL, V2, METRIC_M, 126, id="v2-vitl-metric"),
    ],
)
def test_a_dynamic_file_gives_the_official_depth(
    tmp_path: Path, architecture: Architecture, family: Family, max_depth_m: float | None, base_px: int
) -> None:
    path, state = export(tmp_path, architecture, family, max_depth_m, base_px)
    with depthrt.load(path) as model:
        for image in (landscape(), portrait()):
            found = model.infer(image).values
            reference = reference_infer(state, image, family, max_depth_m, base_px=base_px)
            assert np.abs(found - reference).max() <= TOLERANCE * np.ptp(reference)
    path.unlink()  # 1.3 GB for vitl


def test_a_static_file_of_the_official_size_gives_the_official_depth(tmp_path: Path) -> None:
    image, size = portrait(), (686, 518)
    path, state = export(tmp_path, VITS, V2, None, size)
    with depthrt.load(path) as model:
        depth = model.infer(image)
    reference = reference_infer(state, image, V2)
    assert depth.provenance.input_px == size
    assert np.abs(depth.values - reference).max() <= TOLERANCE * np.ptp(reference)
