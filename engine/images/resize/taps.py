"""Which source pixels an output pixel is made of, and their weights, along one axis: one function a resize.

Positions and weights are computed in the float type that the upstream library uses: at 4000 px the difference between
float32 and float64 positions is 1e-4 of a pixel.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
BilinearMode = Literal["bilinear_corners", "bilinear_centres"]
CUBIC_A = np.float32(-0.75)  # Source: OpenCV, imgproc, interpolateCubic
Taps = tuple[NDArray[np.intp], NDArray[np.intp], Float32]


def mirrored(index: NDArray[np.intp], side: int) -> NDArray[np.intp]:
    """Return the pixels that stand at these places if a row is mirrored at its first and last pixel.

    The mirror image is mirrored again where the row is shorter than the places outside; a row of one pixel repeats it.
    Within one row's length this is torch's and numpy's padding "reflect".
    """
    period = max(2 * (side - 1), 1)
    folded = index % period
    return np.minimum(folded, period - folded) if side > 1 else np.zeros_like(index)


@lru_cache(maxsize=64)
def cubic_taps(source: int, target: int, *, rounded: bool) -> tuple[NDArray[np.intp], Float32]:
    """Return four source indices per target index, (target, 4), and their weights, in cv2's float32 arithmetic.

    Args:
        rounded: Whether the positions are rounded to float32, as cv2 does with float64 pixels; on x86 it does not do so
            with one channel of float32.
    """
    position = (np.arange(target) + 0.5) * (source / target) - 0.5
    if rounded:
        position = position.astype(np.float32)
    base = np.floor(position)
    t = (position - base).astype(np.float32)
    a = CUBIC_A
    near_left = ((a + 2) * t - (a + 3)) * t * t + 1
    near_right = ((a + 2) * (1 - t) - (a + 3)) * (1 - t) * (1 - t) + 1
    far_left = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a
    far_right = 1 - far_left - near_left - near_right
    weights = np.stack([far_left, near_left, near_right, far_right], axis=1)
    indices = np.clip(base.astype(np.intp)[:, None] + np.arange(-1, 3), 0, source - 1)
    return indices, weights


@lru_cache(maxsize=64)
def bilinear_taps(source: int, target: int, mode: BilinearMode) -> Taps:
    """Return both source indices and the weight of the second, each (target,), from positions in float64."""
    if mode == "bilinear_corners":
        position = np.arange(target) * ((source - 1) / (target - 1) if target > 1 else 0.0)
    else:
        position = np.maximum((np.arange(target) + 0.5) * (source / target) - 0.5, 0.0)
    first = np.minimum(position.astype(np.intp), source - 1)
    return first, np.minimum(first + 1, source - 1), (position - first).astype(np.float32)


@lru_cache(maxsize=64)
def corner_taps(source: int, target: int) -> Taps:
    """Return the taps of torch's interpolate(mode="bilinear", align_corners=True) as it computes them, in float32.

    Source: PyTorch, aten/src/ATen/native/UpSample.h, area_pixel_compute_scale and compute_source_index_and_lambda
    """
    step = np.float32(source - 1) / np.float32(target - 1) if target > 1 else np.float32(0)
    position = np.arange(target, dtype=np.float32) * step
    first = np.minimum(position.astype(np.intp), source - 1)
    across = np.minimum(position - first.astype(np.float32), np.float32(1))
    return first, np.minimum(first + 1, source - 1), across


@lru_cache(maxsize=64)
def triangle_taps(source: int, target: int) -> tuple[NDArray[np.intp], Float32]:
    """Return the taps of torch's interpolate(mode="bilinear", antialias=True), in float32 as torch computes them.

    An output is the mean of the sources under a triangle around its centre that reaches to the centres of the outputs
    beside it, or of the sources beside it if they lie farther away. Each row of indices rises by one from its first;
    the weights of places past the last source that counts are 0, and their index is the last pixel's at most.
    Source: PyTorch, aten/src/ATen/native/cpu/UpSampleKernel.cpp, _compute_indices_min_size_weights_aa

    Returns:
        Indices (target, taps) and weights (target, taps).
    """
    half, one = np.float32(0.5), np.float32(1)
    scale = np.float32(source) / np.float32(target)
    reach = max(scale, one)
    centres = scale * (np.arange(target, dtype=np.float32) + half)
    first = np.maximum((centres - reach + half).astype(np.intp), 0)
    last = np.minimum((centres + reach + half).astype(np.intp), source)
    at = first[:, None] + np.arange((last - first).max())
    distance = np.abs(at.astype(np.float32) - centres[:, None] + half) * (one / reach)
    weights = np.maximum(one - distance, np.float32(0)) * (at < last[:, None])
    weights /= weights.sum(axis=1, keepdims=True)
    return np.minimum(at, source - 1), weights
