"""Answers that need no network, to read other figures by: one depth everywhere, and nearer towards the bottom."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...engine.images.limits import Limits
from ...engine.model.depth_model import DepthModel
from ...engine.modelfile.canary import FORMULA
from ...engine.modelfile.contract import Canary, Contract
from ...engine.modelfile.size_rule import SizeRule
from ...engine.terms import Precision
from ...engine.version import __version__
from .subject import Subject

CONSTANT, GRADIENT = "constant", "vertical gradient"
_SIDE_PX = 8
_ANSWERS = {CONSTANT: (1.0, 1.0), GRADIENT: (0.0, 1.0)}  # inverse depth of the top and the bottom row


def baseline_subjects() -> list[Subject]:
    """Return the baselines as subjects, which answer inverse depth."""
    return [Subject(f"baseline: {name}", partial(_open_baseline, name), needs=("cv2",)) for name in _ANSWERS]


class BaselineRunner:
    """Answers the same for every image: a straight course of inverse depth from top to bottom."""

    name, provider = "baseline", "cpu"
    precision: Precision = "fp32"
    notes: tuple[str, ...] = ()

    def __init__(self, top: float, bottom: float) -> None:
        self._ends = top, bottom

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (N, h, w) float32 for inputs (N, 3, h, w) float32."""
        count, _, height, width = batch.shape
        course = np.linspace(*self._ends, height, dtype=np.float32)
        return np.tile(course[None, :, None], (count, 1, width))

    def close(self) -> None:
        """Hold nothing."""


def _open_baseline(name: str) -> DepthModel:
    return DepthModel(BaselineRunner(*_ANSWERS[name]), _contract(name), limits=Limits())


def _contract(name: str) -> Contract:
    return Contract(
        family="baseline",
        encoder=name.replace(" ", "-"),
        kind="inverse",
        max_depth_m=None,
        size=SizeRule((_SIDE_PX, _SIDE_PX), 1, "square"),
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        final_resize="bilinear_corners",
        batch=None,
        precision="fp32",
        attention="none",
        source_name="none",
        source_sha256="0" * 64,
        licence="none",
        producer=f"depthrt {__version__}",
        canary=Canary(FORMULA, (_SIDE_PX, _SIDE_PX), 1, "", 0.0),
    )
