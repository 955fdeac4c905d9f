"""The whole way of MiDaS and ZoeDepth: official file, export, ONNX Runtime, depth at the image's size.

The networks' own exactness is held in tests/export/network; here the file must answer as the network between the
official steps before and after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import onnx
import pytest
import torch
from family_files import FAMILY_FILES, STRETCHED_PX, FamilyFile, family_file
from official_images import (
    HALF,
    IMAGENET,
    midas_input,
    midas_output,
    midas_size,
    stretched_input,
    stretched_output,
    zoe_input,
    zoe_output,
)
from tiny_model import PHOTOS

import depthrt
from depthrt.export.trace import OPSET

TOLERANCE = 1e-4  # of the range: the bar for float32; a wrong size, resize or margin costs 1e-3 and more
Px = tuple[int, int]


@dataclass(frozen=True)
class Steps:
    """The official steps around a network.

    Args:
        to_input: Turns (H, W, 3) RGB uint8 into (3, h, w).
        to_depth: Turns (h, w) into (H, W).
    """

    to_input: Callable[[np.ndarray], np.ndarray]
    to_depth: Callable[[np.ndarray, Px], np.ndarray]


def midas(method: str, side: int, meaning: tuple[np.ndarray, np.ndarray]) -> Steps:
    def to_input(rgb: np.ndarray) -> np.ndarray:
        size = (side, side) if method == "square" else midas_size(method, (side, side), 32, rgb.shape[:2])
        return midas_input(rgb, size, meaning)

    return Steps(to_input, midas_output)


STEPS = {
    "beit": midas("minimal", 96, HALF),
    "swin2": midas("square", 128, HALF),
    "small": midas("upper_bound", 256, IMAGENET),
    "zoedepth": Steps(lambda rgb: zoe_input(rgb, (96, 128)), zoe_output),
    "zoedepth on Depth Anything": Steps(lambda rgb: stretched_input(rgb, STRETCHED_PX), stretched_output),
}


@pytest.fixture(scope="module", params=FAMILY_FILES)
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Steps, FamilyFile]:
    return STEPS[request.param], family_file(request.param, tmp_path_factory)


def official(steps: Steps, file: FamilyFile, rgb: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        values = file.network(torch.from_numpy(steps.to_input(rgb))[None])[0].numpy()
    return steps.to_depth(values, rgb.shape[:2])


def test_a_file_gives_the_official_depth_of_a_landscape_and_a_portrait(subject: tuple[Steps, FamilyFile]) -> None:
    whole = depthrt.read_image(PHOTOS / "coffee.jpg")
    photo = np.asarray(cv2.resize(whole, (320, 240), interpolation=cv2.INTER_AREA), np.uint8)  # (w, h)
    with depthrt.load(subject[1].exported.path, device="cpu") as model:
        for bgr in (photo, np.ascontiguousarray(np.rot90(photo))):
            expected = official(*subject, np.ascontiguousarray(bgr[..., ::-1]))
            depth = model.infer(bgr)
            assert depth.values.shape == bgr.shape[:2]
            assert np.abs(depth.values - expected).max() <= TOLERANCE * np.ptp(expected)


def test_its_graph_is_clean_and_its_contract_says_what_its_numbers_mean(subject: tuple[Steps, FamilyFile]) -> None:
    network, exported = subject[1].network, subject[1].exported
    model = onnx.load(exported.path)
    assert {entry.version for entry in model.opset_import if entry.domain == ""} == {OPSET}
    assert not {"IsNaN", "If", "Loop"} & {node.op_type for node in model.graph.node}
    sides = [side.dim_param or side.dim_value for side in model.graph.output[0].type.tensor_type.shape.dim]
    contract = exported.contract
    static = contract.size.rule in ("square", "stretch")
    assert sides == ([1, *contract.size.base_px] if static else ["batch", "height", "width"])
    metric = contract.family == "zoedepth"
    assert (contract.kind, contract.unit) == (("metric", "m") if metric else ("inverse", ""))
    stretched = contract.size.rule == "stretch"
    assert (contract.mirrored, contract.max_depth_m) == (metric, None)
    assert (contract.size.margin == "zoe") == (metric and not stretched)
    assert contract.final_resize == ("bilinear_corners" if stretched else "bicubic")
    assert contract.encoder == network.architecture.encoder
