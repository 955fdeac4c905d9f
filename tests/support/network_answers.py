"""Answers of torch networks on real pixels, and how far two answers differ."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import torch
from random_checkpoint import TINY
from tiny_model import PHOTOS
from torch import Tensor, nn

# Largest |difference| over the reference's range.
SAME_FORMULA = 1e-10  # float64 on both sides rounds to about 1e-14; the smallest wrong constant (norm eps) costs 6e-6
SAME_FLOAT32 = 2e-5  # float32 rounds to 1e-6 to 1e-5 on random weights, whoever computes
SAME_HALF = 2e-2  # float16 keeps 11 bits: 2e-3 to 4e-3 measured over seeds

SMALL = replace(TINY, table_side=16)  # native at 224 px, which keeps float64 quick
GATED = replace(SMALL, width=128, feed_forward="swiglu")
UNUSED = ("pretrained.mask_token", "depth_head.scratch.refinenet4.resConfUnit1.")  # weights in every published file


def photo(name: str) -> np.ndarray:
    """Return a photograph of the tests, (H, W, 3) uint8 BGR."""
    image = cv2.imread(str(PHOTOS / name))
    assert image is not None
    return image


@cache
def photo_batch(height: int, width: int) -> Tensor:
    """Return real pixels, (1, 3, height, width); not to be written to."""
    pixels = cv2.resize(photo("astronaut.jpg"), (width, height), interpolation=cv2.INTER_AREA)  # OpenCV takes (w, h)
    return torch.from_numpy(pixels).permute(2, 0, 1)[None] / 64 - 2


def answer(network: nn.Module, batch: Tensor) -> Tensor:
    """Return the depth (N, h, w) of a batch."""
    with torch.inference_mode():
        depth: Tensor = network(batch)
    return depth


def difference(found: Tensor, expected: Tensor) -> float:
    """Return the largest |difference| over the range of what is expected."""
    assert found.shape == expected.shape
    return float((found.double() - expected.double()).abs().max() / (expected.max() - expected.min()))
