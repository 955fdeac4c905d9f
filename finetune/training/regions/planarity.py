"""The planarity loss: over a plane, inverse depth is an affine function of pixel coordinates."""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ...data.pair_source import is_flat

LEAST_PART_PX = 16  # a smaller part says nothing about a plane
BEND = 0.02  # second difference of inverse depth over inverse depth, from pixel to pixel
MOST_UNEVEN = 0.02  # mean distance of true inverse depth from a plane over its mean; above it, a part is no plane
_STEADY = 1e-9  # of the moments' trace, added to them, so that a part of one row has a plane too
_TINY = 1e-12
_ROUNDING = 1e-7  # of depth; the root of an exact 0 has no gradient
MARGIN = 0.01  # of the shorter side, as in the evaluation


def flat_parts(regions: Tensor) -> Tensor:
    """Return the number of the flat part that each pixel is of.

    Args:
        regions: (N, h, w) uint8, bits.

    Returns:
        (N, h, w) int64; 0 outside, and numbers from 1 over the whole batch. Parts of fewer than LEAST_PART_PX pixels
        are left out.
    """
    return _numbered(is_flat(regions.cpu().numpy())).to(regions.device)


def true_planes(parts: Tensor, inverse: Tensor, known: Tensor) -> Tensor:
    """Return flat parts that are planes of the true depth, numbered anew.

    Two pictures of which one hides some of the other are one connected part. It is split where true inverse depth bends
    or jumps, which it never does in a plane; what is still no plane is left out.

    Args:
        parts: (N, h, w) int64, as flat_parts returns them.
        inverse: (N, h, w), true inverse depth.
        known: (N, h, w) bool, where it is known.
    """
    if not bool((parts > 0).any()):
        return parts
    found = _numbered(((parts > 0) & ~_bent(inverse, known)).cpu().numpy()).to(parts.device)
    judged = torch.where(known, found, 0)
    off, levels = (inverse - affine_fit(inverse, judged)).abs(), part_means(inverse, judged)
    uneven = part_means(off, judged) > MOST_UNEVEN * levels
    spoiled = judged[uneven & (judged > 0)].unique()
    return torch.where(torch.isin(found, spoiled), 0, found)


def without_borders(parts: Tensor) -> Tensor:
    """Return parts without a margin at their borders, within which an answer may blur an edge.

    Args:
        parts: (N, h, w) int64, as flat_parts returns them. The edge of the image is no border.
    """
    return torch.where(near(parts == 0, MARGIN), 0, parts)


def near(pixels: Tensor, margin: float) -> Tensor:
    """Return some pixels and those around them, (N, h, w) bool.

    Args:
        pixels: (N, h, w) bool.
        margin: How far around them, a share of the shorter side, in rows and in columns; 1 px or more.
    """
    width_px = max(1, round(margin * min(pixels.shape[1:])))
    return F.max_pool2d(pixels.float()[:, None], 2 * width_px + 1, stride=1, padding=width_px)[:, 0] > 0


def planarity_loss(inverse: Tensor, parts: Tensor, levels: Tensor) -> Tensor:
    """Return how far inverse depth is from the best affine function of each part, a mean over the parts.

    For each part sqrt(mean(r^2)) with r the distance over the level, as the evaluation's flat_residual; 0 for planes.

    Args:
        inverse: (N, h, w), inverse depth.
        parts: (N, h, w) int64, as flat_parts returns them.
        levels: (N, h, w), inverse depth that the distance is divided by, in the same unit and without a shift, so that
            the loss is a relative error of depth.

    Returns:
        () float32; 0 with a gradient of 0 if there are no parts.
    """
    inside = parts > 0
    if not bool(inside.any()):
        return (inverse * 0).sum()
    off = (inverse - affine_fit(inverse, parts)) / part_means(levels.detach().abs(), parts).clamp(min=_TINY)
    number = parts[inside]
    pixels = torch.bincount(number)
    squares = torch.zeros(len(pixels), dtype=off.dtype, device=off.device).index_add(0, number, off[inside].square())
    found = pixels > 0
    return (squares[found] / pixels[found] + _ROUNDING**2).sqrt().mean()


def affine_fit(values: Tensor, parts: Tensor) -> Tensor:
    """Return the affine function of pixel coordinates that fits each part best in least squares, (N, h, w).

    Args:
        values: (N, h, w) float32.
        parts: (N, h, w) int64, as flat_parts returns them; elsewhere the result is 0.
    """
    inside = parts > 0
    if not bool(inside.any()):
        return torch.zeros_like(values)
    number = parts[inside] - 1
    rows, columns = (
        torch.arange(side, dtype=torch.float64, device=values.device) / max(parts.shape[1:]) for side in parts.shape[1:]
    )
    v, u = (axis.expand(parts.shape)[inside] for axis in (rows[:, None], columns))
    count = int(number.max()) + 1

    def sums(terms: Tensor) -> Tensor:
        return terms.new_zeros(count).index_add(0, number, terms)

    pixels = sums(torch.ones_like(u)).clamp(min=1)

    def centred(terms: Tensor) -> Tensor:
        return terms - (sums(terms) / pixels)[number]

    y = values[inside].double()
    du, dv, dy = centred(u), centred(v), centred(y)
    uu, uv, vv, uy, vy = (sums(a * b) for a, b in ((du, du), (du, dv), (dv, dv), (du, dy), (dv, dy)))
    steady = _STEADY * (uu + vv) + _TINY
    uu, vv = uu + steady, vv + steady
    determinant = uu * vv - uv * uv
    across, down = (vv * uy - uv * vy) / determinant, (uu * vy - uv * uy) / determinant
    fitted = y - dy + across[number] * du + down[number] * dv
    return torch.zeros_like(values).masked_scatter(inside, fitted.to(values.dtype))


def _numbered(flat: NDArray[np.bool_]) -> Tensor:
    """Return the number of the connected part that each pixel (N, h, w) is of, as flat_parts does."""
    found = np.zeros(flat.shape, np.int64)
    last = 0
    for index, image in enumerate(flat):
        if not image.any():
            continue
        count, labels, stats, _ = cv2.connectedComponentsWithStats(image.astype(np.uint8), connectivity=8)
        large = stats[:, cv2.CC_STAT_AREA] >= LEAST_PART_PX
        large[0] = False  # the background
        numbers = np.zeros(count, np.int64)
        numbers[large] = last + 1 + np.arange(large.sum())
        found[index] = numbers[labels]
        last += int(large.sum())
    return torch.from_numpy(found)


def _bent(inverse: Tensor, known: Tensor) -> Tensor:
    """Return where inverse depth is not affine between neighbours in a row or a column, (N, h, w) bool."""
    bent = torch.zeros_like(known)
    for axis in (1, 2):
        values, seen, found = (maps.movedim(axis, 0) for maps in (inverse, known, bent))  # `found` is a view
        second = (values[:-2] - 2 * values[1:-1] + values[2:]).abs()
        found[1:-1] |= (second > BEND * values[1:-1]) & seen[:-2] & seen[1:-1] & seen[2:]
    return bent


def part_means(values: Tensor, parts: Tensor) -> Tensor:
    """Return for each pixel the mean of its part, (N, h, w); all pixels outside are one part."""
    flat = parts.flatten()
    totals = torch.zeros(int(flat.max()) + 1, dtype=torch.float64, device=values.device)
    totals.index_add_(0, flat, values.flatten().double())
    return (totals / torch.bincount(flat).clamp(min=1)).to(values.dtype)[parts]
