"""The ways of MiDaS, ZoeDepth, Marigold and Depth Anything 3 from an image to the network and back, written again.

Shares nothing with the package, so that a mistake there cannot hide here. Slow and plain on purpose.
Source: isl-org/MiDaS, midas/transforms.py and run.py; isl-org/ZoeDepth, zoedepth/models/depth_model.py and
base_models/midas.py; LiheYoung/Depth-Anything, metric_depth/evaluate.py and
zoedepth/models/base_models/depth_anything.py; huggingface/diffusers, marigold_image_processing.py;
ByteDance-Seed/Depth-Anything-3, utils/io/input_processor.py.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
import torch.nn.functional as F

Px = tuple[int, int]
IMAGENET = (np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225]))
HALF = (np.full(3, 0.5), np.full(3, 0.5))


def midas_size(method: str, base_px: Px, multiple_px: int, image_px: Px) -> Px:
    """Return the input size of MiDaS' and ZoeDepth's Resize with the aspect kept; a side may be 0."""
    base, sides = np.array(base_px), np.array(image_px)
    scales = base / sides
    nearer_to_one = scales[np.argmin(np.abs(1 - scales))]  # the first, height, if both are as near
    scale = {"lower_bound": scales.max(), "upper_bound": scales.min(), "minimal": nearer_to_one}[method]
    units = scale * sides / multiple_px
    size = np.round(units) * multiple_px
    if method == "lower_bound":
        size = np.where(size < base, np.ceil(units) * multiple_px, size)
    if method == "upper_bound":
        size = np.where(size > base, np.floor(units) * multiple_px, size)
    return int(size[0]), int(size[1])


def marigold_size(edge_px: int, image_px: Px) -> Px:
    """Return the size of the content in Marigold's input; a side may be 0."""
    return image_px[0] * edge_px // max(image_px), image_px[1] * edge_px // max(image_px)


def da3_sizes(edge_px: int, image_px: Px) -> tuple[Px, Px]:
    """Return the sizes after both steps of Depth Anything 3; a side of the second may be 0."""
    scale = edge_px / float(max(image_px))
    first = (max(1, round(image_px[0] * scale)), max(1, round(image_px[1] * scale)))
    candidates = [(side // 14 * 14, side // 14 * 14 + 14) for side in first]
    height, width = (
        above if above - side <= side - below else below for side, (below, above) in zip(first, candidates, strict=True)
    )
    return first, (height, width)


def midas_input(rgb: np.ndarray, size_px: Px, meaning: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return (3, h, w) float32: cubic in float64, not clipped."""
    resized = cv2.resize(rgb / 255.0, size_px[::-1], interpolation=cv2.INTER_CUBIC)  # (w, h)
    planes = ((resized - meaning[0]) / meaning[1]).transpose(2, 0, 1)
    return np.asarray(planes, np.float32)


def stretched_input(rgb: np.ndarray, size_px: Px) -> np.ndarray:
    """Return (3, h, w) float32 of Depth Anything V1's metric networks: bilinear from corner to corner, any aspect."""
    mean, std = (torch.tensor(values, dtype=torch.float32)[:, None, None] for values in IMAGENET)
    resized = F.interpolate(_unit(rgb), size_px, mode="bilinear", align_corners=True)[0]
    return ((resized - mean) / std).numpy()


def stretched_output(values: np.ndarray, image_px: Px) -> np.ndarray:
    """Return the output of Depth Anything V1's metric networks at the image's size."""
    return F.interpolate(torch.from_numpy(values)[None, None], image_px, mode="bilinear", align_corners=True)[
        0, 0
    ].numpy()


def zoe_margins(image_px: Px) -> Px:
    """Return the rows and columns that are added at both ends."""
    return int(np.sqrt(image_px[0] / 2) * 3), int(np.sqrt(image_px[1] / 2) * 3)


def zoe_input(rgb: np.ndarray, base_px: Px) -> np.ndarray:
    """Return (3, h, w) float32: mirrored around, bilinear from corner to corner."""
    rows, columns = zoe_margins(rgb.shape[:2])
    padded = F.pad(_unit(rgb), (columns, columns, rows, rows), mode="reflect")
    size = midas_size("minimal", base_px, 32, (padded.shape[2], padded.shape[3]))
    resized = F.interpolate(padded, size, mode="bilinear", align_corners=True)
    return ((resized - 0.5) / 0.5)[0].numpy()


def zoe_output(values: np.ndarray, image_px: Px) -> np.ndarray:
    """Return the network's output at the image's size."""
    rows, columns = zoe_margins(image_px)
    framed = (image_px[0] + 2 * rows, image_px[1] + 2 * columns)
    wide = F.interpolate(torch.from_numpy(values)[None, None], framed, mode="bicubic", align_corners=False)[0, 0]
    return wide[rows : rows + image_px[0], columns : columns + image_px[1]].numpy()


def midas_output(values: np.ndarray, image_px: Px) -> np.ndarray:
    """Return the network's output at the image's size."""
    return F.interpolate(torch.from_numpy(values)[None, None], image_px, mode="bicubic", align_corners=False)[
        0, 0
    ].numpy()


def marigold_input(rgb: np.ndarray, edge_px: int) -> np.ndarray:
    """Return (3, h, w) float32: antialiased bilinear of [-1, 1], the edge repeated right and below."""
    image = torch.from_numpy(rgb.transpose(2, 0, 1).astype(np.float32))[None] * (2.0 / 255) - 1.0
    size = marigold_size(edge_px, rgb.shape[:2])
    resized = F.interpolate(image, size, mode="bilinear", antialias=True)
    return F.pad(resized, (0, -size[1] % 8, 0, -size[0] % 8), mode="replicate")[0].numpy()


def marigold_output(values: np.ndarray, edge_px: int, image_px: Px) -> np.ndarray:
    """Return the network's output at the image's size."""
    height, width = marigold_size(edge_px, image_px)
    content = torch.from_numpy(values[:height, :width])[None, None]
    return F.interpolate(content, image_px, mode="bilinear", align_corners=False)[0, 0].numpy()


def da3_input(rgb: np.ndarray, edge_px: int) -> np.ndarray:
    """Return (3, h, w) float32: two resizes in uint8, then normalised in float32."""
    for size in da3_sizes(edge_px, rgb.shape[:2]):
        if size != rgb.shape[:2]:
            grows = size[0] > rgb.shape[0] or size[1] > rgb.shape[1]
            rgb = cv2.resize(rgb, size[::-1], interpolation=cv2.INTER_CUBIC if grows else cv2.INTER_AREA)
    mean, std = (torch.tensor(values, dtype=torch.float32)[:, None, None] for values in IMAGENET)
    return ((_unit(rgb)[0] - mean) / std).numpy()


def _unit(rgb: np.ndarray) -> torch.Tensor:
    """Return (1, 3, H, W) float32 in [0, 1], as torchvision's ToTensor."""
    return torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1))).float().div(255)[None]
