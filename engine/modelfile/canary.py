"""The golden input of every model file, made by a formula with the same bits on every machine, and its answer."""

from __future__ import annotations

import base64

import numpy as np
from numpy.typing import NDArray

from ..errors import ContractError, InputError
from .contract import MOST_CANARY_PX, Canary, Formula
from .size_rule import in_px

Triple = tuple[float, float, float]

FORMULA: Formula = "discs-1"
SAMPLES = 24  # the answer has about SAMPLES x SAMPLES values
RANGE_PERCENTILES = (2.0, 98.0)  # the range of drift leaves outliers out


def canary_image(size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the golden picture (h, w, 3) uint8 RGB: a floor of tiles, a wall and discs, in integer arithmetic.

    Raises:
        InputError: The picture would have more than MOST_CANARY_PX pixels, 60 bytes each on the way.
    """
    height, width = size_px
    if height * width > MOST_CANARY_PX:
        raise InputError(
            f"a canary of {in_px(size_px)} found, expected at most {MOST_CANARY_PX} px; use a smaller size"
        )
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    horizon = height // 3
    down = np.maximum(y - horizon, 0) + 8
    tiles = ((x - width // 2) * 12 // down + 4000 * height // (down * 8)) % 2
    image = np.stack([90 + 120 * y // height, 140 - 60 * x // width, 60 + 90 * tiles], axis=2)
    image[:horizon] = np.stack([200 - 70 * x // width, 190 - 30 * y // height, 170 + 0 * x], axis=2)[:horizon]
    for number in range(7):
        centre_y, centre_x = (37 * number + 29) % 83 * height // 83, (53 * number + 17) % 89 * width // 89
        radius = (number + 2) * min(height, width) // 24
        away = (y - centre_y) ** 2 + (x - centre_x) ** 2
        inside = away < radius * radius
        shade = 255 - 160 * away // max(radius * radius, 1)
        image[inside] = np.stack([shade, 40 + 25 * number + shade // 4, 255 - shade], axis=2)[inside]
    return image.astype(np.uint8)


def canary_input(size_px: tuple[int, int], mean: Triple, std: Triple) -> NDArray[np.float32]:
    """Return the golden network input (1, 3, h, w) float32: the picture, normalised and not resized."""
    pixels = canary_image(size_px) / 255.0
    normalised = (pixels - np.array(mean)) / np.array(std)
    return np.ascontiguousarray(normalised.transpose(2, 0, 1)[None].astype(np.float32))


def make_canary(size_px: tuple[int, int], output: NDArray[np.float32], *, tolerance: float) -> Canary:
    """Return the canary for a float32 reference output (h, w) of the golden input."""
    stride = max(1, min(size_px) // SAMPLES)
    answer = np.ascontiguousarray(output[::stride, ::stride], dtype="<f4")
    return Canary(FORMULA, size_px, stride, base64.b64encode(answer.tobytes()).decode("ascii"), tolerance)


def canary_drift(canary: Canary, output: NDArray[np.float32]) -> float:
    """Return the drift of a runner's output (h, w) of the golden input from the answer; see `drift`.

    Raises:
        ContractError: The canary is of a formula that this version does not know, or does not fit the output.
    """
    return drift(*_paired(canary, output))


def canary_slope(canary: Canary, output: NDArray[np.float32]) -> float:
    """Return the slope of the least-squares line through (answer, output (h, w)): 1 for a right output.

    Rounding noise averages out of the slope, a wrong scale does not, so a scale of 1.02 shows below the noise of any
    precision.

    Returns:
        nan if the output is not finite or the answer is the same everywhere.

    Raises:
        ContractError: As canary_drift.
    """
    found, expected = (values.astype(np.float64) for values in _paired(canary, output))
    away = expected - expected.mean()
    spread = float(away @ away)
    return float(away @ found) / spread if spread > 0 and np.isfinite(found).all() else float("nan")


def _paired(canary: Canary, output: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return an output at the samples of the answer, and the answer."""
    if canary.formula != FORMULA:
        raise ContractError(
            f"canary formula {canary.formula!r} found, this depthrt knows {FORMULA!r}; export the model again"
        )
    found = output[:: canary.stride_px, :: canary.stride_px]
    expected = np.frombuffer(base64.b64decode(canary.answer), dtype="<f4")
    if found.size != expected.size:
        raise ContractError(f"the canary has {expected.size} values, the output {found.size}; export the model again")
    return found.ravel(), expected


def drift(found: NDArray[np.float32], reference: NDArray[np.float32]) -> float:
    """Return mean |found - reference| over the reference's 2-98 % range; inf if either is not finite."""
    if not (np.isfinite(found).all() and np.isfinite(reference).all()):
        return float("inf")
    low, high = np.percentile(reference, RANGE_PERCENTILES)
    difference = float(np.mean(np.abs(found.astype(np.float64) - reference)))
    if difference == 0.0:
        return 0.0
    return difference / float(high - low) if high > low else float("inf")
