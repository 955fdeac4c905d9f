"""Small things that several tests make."""

from __future__ import annotations

import base64
from dataclasses import replace

import numpy as np

from depthrt.engine.modelfile.canary import FORMULA
from depthrt.engine.modelfile.contract import Canary, Contract
from depthrt.engine.modelfile.size_rule import SizeRule


def canary_of_zeros(size_px: tuple[int, int]) -> Canary:
    """Return a canary whose answer is 0 everywhere."""
    return Canary(FORMULA, size_px, 1, base64.b64encode(np.zeros(size_px, "<f4").tobytes()).decode(), 1e-5)


CANARY = canary_of_zeros((28, 28))
CONTRACT = Contract(
    family="depth-anything-v2",
    encoder="vits",
    kind="inverse",
    max_depth_m=None,
    size=SizeRule((518, 518), 14, "lower_bound"),
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    final_resize="bilinear_corners",
    batch=None,
    precision="fp32",
    attention="fused",
    source_name="made.pth",
    source_sha256="0" * 64,
    licence="unknown",
    producer="depthrt test",
    canary=CANARY,
)


def make_contract(*, size: SizeRule = CONTRACT.size) -> Contract:
    """Return a contract that is right in itself."""
    return replace(CONTRACT, size=size)
