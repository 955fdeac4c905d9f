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
from made_families import official_midas, tiny_midas
from official_images import HALF, IMAGENET, midas_input, midas_output, midas_size, zoe_input, zoe_output
from random_zoedepth import shared_zoe
from tiny_model import PHOTOS

import depthrt
from depthrt.export.checkpoint.checkpoint import read_checkpoint
from depthrt.export.network.network import Network
from depthrt.export.to_onnx import Exported, export_onnx
from depthrt.export.trace import OPSET

TOLERANCE = 1e-4  # of the range: the bar for float32; a wrong size, resize or margin costs 1e-3 and more
Px = tuple[int, int]


@dataclass(frozen=True)
class Subject:
    """A tiny network, its official file and the official steps around it.

    Args:
        network: The network.
        state: What its file holds.
        size: Asked for in the export; None for the family's own.
        to_input: Turns (H, W, 3) RGB uint8 into (3, h, w).
        to_depth: Turns (h, w) into (H, W).
    """

    network: Network
    state: dict[str, torch.Tensor]
    size: int | None
    to_input: Callable[[np.ndarray], np.ndarray]
    to_depth: Callable[[np.ndarray, Px], np.ndarray]

    def official(self, rgb: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            values = self.network(torch.from_numpy(self.to_input(rgb))[None])[0].numpy()
        return self.to_depth(values, rgb.shape[:2])


def midas(encoder: str, method: str, side: int, meaning: tuple[np.ndarray, np.ndarray]) -> Subject:
    def to_input(rgb: np.ndarray) -> np.ndarray:
        size = (side, side) if method == "square" else midas_size(method, (side, side), 32, rgb.shape[:2])
        return midas_input(rgb, size, meaning)

    return Subject(tiny_midas(encoder), official_midas(encoder), None, to_input, midas_output)


def zoe() -> Subject:
    network = shared_zoe("N")
    return Subject(network, dict(network.state_dict()), 96, lambda rgb: zoe_input(rgb, (96, 128)), zoe_output)


SUBJECTS: dict[str, Callable[[], Subject]] = {
    "beit": lambda: midas("beit", "minimal", 96, HALF),
    "swin2": lambda: midas("swin2", "square", 128, HALF),
    "v21 small": lambda: midas("small", "upper_bound", 256, IMAGENET),
    "zoedepth": zoe,
}


@pytest.fixture(scope="module", params=SUBJECTS)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Subject, Exported]:
    subject, folder = SUBJECTS[request.param](), tmp_path_factory.mktemp("families")
    torch.save({"model": subject.state}, folder / "official.pt")
    checkpoint = read_checkpoint(folder / "official.pt")
    return subject, export_onnx(checkpoint, folder / "model.onnx", size=subject.size)


def test_a_file_gives_the_official_depth_of_a_landscape_and_a_portrait(exported: tuple[Subject, Exported]) -> None:
    subject, found = exported
    whole = depthrt.read_image(PHOTOS / "coffee.jpg")
    photo = np.asarray(cv2.resize(whole, (320, 240), interpolation=cv2.INTER_AREA), np.uint8)  # (w, h)
    with depthrt.load(found.path, device="cpu") as model:
        for bgr in (photo, np.ascontiguousarray(np.rot90(photo))):
            official = subject.official(np.ascontiguousarray(bgr[..., ::-1]))
            depth = model.infer(bgr)
            assert depth.values.shape == bgr.shape[:2]
            assert np.abs(depth.values - official).max() <= TOLERANCE * np.ptp(official)


def test_its_graph_is_clean_and_its_contract_says_what_its_numbers_mean(exported: tuple[Subject, Exported]) -> None:
    subject, found = exported
    model = onnx.load(found.path)
    assert {entry.version for entry in model.opset_import if entry.domain == ""} == {OPSET}
    assert not {"IsNaN", "If", "Loop"} & {node.op_type for node in model.graph.node}
    sides = [side.dim_param or side.dim_value for side in model.graph.output[0].type.tensor_type.shape.dim]
    contract = found.contract
    static = contract.size.rule == "square"
    assert sides == ([1, *contract.size.base_px] if static else ["batch", "height", "width"])
    metric = contract.family == "zoedepth"
    assert (contract.kind, contract.unit) == (("metric", "m") if metric else ("inverse", ""))
    assert (contract.mirrored, contract.size.margin == "zoe", contract.max_depth_m) == (metric, metric, None)
    assert contract.final_resize == "bicubic"
    assert contract.encoder == subject.network.architecture.encoder
