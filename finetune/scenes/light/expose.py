"""Turns linear light into sRGB bytes: softened edges, exposure by the image's brightness, a tone curve of film."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
import torch.nn.functional as F

from ..draft import Air

_STEPS = 1 << 13  # entries of the table of the curve
_INK = 0.1  # share of light that remains on the lines of a cartoon
_STRIDE_PX = 4  # brightness is measured on every fourth pixel of every fourth row


def expose(linear: torch.Tensor, airs: Sequence[Air], solid: torch.Tensor | None) -> torch.Tensor:
    """Return images, (b, 3, h, w) uint8.

    Args:
        linear: (b, 3, h, w) float32, linear light.
        airs: Air of each scene, whose key is the brightness to reach.
        solid: (b, h, w), solid of each pixel: edges between solids are softened. None if pixels have several rays.
    """
    curve = _curve(linear.device)
    images = []
    for index, (air, image) in enumerate(zip(airs, linear, strict=True)):
        lit = image if solid is None else _softened(image, _edges(solid[index]), ink=air.toon)
        x = lit * (air.key / _brightness(lit))
        steps = (x / (x + 1)).mul_(_STEPS - 1).to(torch.int32)
        images.append(curve.index_select(0, steps.view(-1)).view(x.shape))
    return torch.stack(images)


@functools.lru_cache(maxsize=2)
def _curve(device: torch.device) -> torch.Tensor:
    """Return a table, (_STEPS,) uint8: entry k is the byte of light x with x / (x + 1) = k / (_STEPS - 1)."""
    share = torch.arange(_STEPS, dtype=torch.float64) / (_STEPS - 1)
    x = share / (1 - share).clamp(min=1e-9)
    # Source: Narkowicz, ACES Filmic Tone Mapping Curve, 2015, a fit with five numbers
    x = ((x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14)).clamp_(0, 1)
    # Source: IEC 61966-2-1, the sRGB transfer curve
    x = torch.where(x <= 0.0031308, x * 12.92, 1.055 * x.pow(1 / 2.4) - 0.055)
    return (x * 255 + 0.5).to(torch.uint8).to(device)


def _brightness(image: torch.Tensor) -> torch.Tensor:
    """Return the geometric mean of brightness, on which lamps and sky have little influence."""
    sample = image[:, ::_STRIDE_PX, ::_STRIDE_PX].contiguous()
    grey = sample[0] * 0.25 + sample[1] * 0.6 + sample[2] * 0.15
    return (grey + 1e-3).log().mean().exp()


def _edges(solid: torch.Tensor) -> torch.Tensor:
    """Return the pixels on both sides of an edge between solids, (h, w) bool."""
    edge = torch.zeros(solid.shape, dtype=torch.bool, device=solid.device)
    down, across = solid[1:] != solid[:-1], solid[:, 1:] != solid[:, :-1]
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    return edge


def _softened(linear: torch.Tensor, edge: torch.Tensor, *, ink: bool) -> torch.Tensor:
    """Blend each pixel at an edge with its neighbours, as a lens and a sensor do; with `ink`, draw a dark line."""
    if ink:
        linear = torch.where(edge, linear * _INK, linear)
    wide = F.pad(linear[None], (1, 1, 1, 1), mode="replicate")[0]
    wide = wide[..., :-2] + 2 * wide[..., 1:-1] + wide[..., 2:]
    wide = (wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]).mul_(1 / 16)
    return torch.where(edge, wide, linear)
