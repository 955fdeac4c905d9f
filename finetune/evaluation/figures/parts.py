"""Connected parts of regions, and the pairs of pixels on both sides of their edges."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

MARGIN = 0.01  # of the shorter side: the width within which an answer may blur an edge
LEAST_SHARE = 5e-4  # of the image; the inner pixels of smaller parts show too little
LEAST_PX = 16

Pixels = tuple[NDArray[np.intp], NDArray[np.intp]]  # rows, columns


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One connected part of a region.

    Args:
        name: Of the region; that of most pixels if a part has several.
        box: (top, left, height, width), px.
        mask: (H, W) bool.
        inner: (H, W) bool: its judged pixels that are farther from its edge than the margin.
    """

    name: str
    box: tuple[int, int, int, int]
    mask: NDArray[np.bool_]
    inner: NDArray[np.bool_]


def margin_px(size_px: tuple[int, int]) -> int:
    """Return the margin of an image (H, W), 1 px or more."""
    return max(1, round(MARGIN * min(size_px)))


def find_parts(regions: Mapping[str, NDArray[np.bool_]], judged: NDArray[np.bool_], margin: int) -> Iterator[Part]:
    """Yield the connected parts of all regions together, from top to bottom; parts with few inner pixels are left out.

    Args:
        regions: (H, W) bool by name.
        judged: (H, W) bool, pixels that count.
        margin: px; the edge of the image is no edge of a part.
    """
    union = np.logical_or.reduce([*regions.values()])
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(union.astype(np.uint8), connectivity=8)
    least = max(LEAST_PX, math.ceil(LEAST_SHARE * union.size))
    kernel = np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)
    for label in range(1, count):
        left, top, width, height, area = map(int, boxes[label])  # OpenCV's order
        if area < least:
            continue
        mask = np.asarray(labels == label)
        inner = cv2.erode(mask.astype(np.uint8), kernel).astype(bool) & judged
        if np.count_nonzero(inner) >= least:
            name = max(regions, key=lambda name: int(np.count_nonzero(regions[name] & mask)))
            yield Part(name, (top, left, height, width), mask, inner)


def across_edge(part: Part, outside: NDArray[np.bool_], margin: int) -> tuple[Pixels, Pixels]:
    """Return pairs of pixels on both sides of a part's edge, each a margin or little more away from it.

    An inner pixel is paired with the pixel a margin beyond the nearest pixel outside the part, on the straight line.

    Args:
        part: Of an image.
        outside: (H, W) bool, pixels that may stand outside.
        margin: px.

    Returns:
        (inner pixels, outer pixels), as many of both.
    """
    distance, nearest = cv2.distanceTransformWithLabels(
        part.mask.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(part.inner & (distance > margin) & (distance <= 2 * margin + 1))
    beyond = np.nonzero(~part.mask)
    if not rows.size or not beyond[0].size:
        nothing = np.empty(0, np.intp)
        return (nothing, nothing), (nothing, nothing)
    place = np.zeros((int(nearest.max()) + 1, 2), np.intp)
    place[nearest[beyond]] = np.stack(beyond, 1)
    edge = place[nearest[rows, columns]]  # (n, 2)
    step = edge - np.stack([rows, columns], 1)
    length = np.hypot(step[:, 0], step[:, 1])[:, None]
    outer = edge + np.rint(step / length * margin).astype(np.intp)
    height, width = outside.shape
    kept = (outer >= 0).all(1) & (outer[:, 0] < height) & (outer[:, 1] < width)
    kept[kept] = outside[outer[kept, 0], outer[kept, 1]]
    return (rows[kept], columns[kept]), (outer[kept, 0], outer[kept, 1])
