"""A bank of tiling patterns and pictures with their mip levels, and the lookup of many points at once.

A pattern has three channels of weights in [0, 1] (figure, slow variation, grain), which a material turns into colours;
a picture has three channels of colour.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from .patterns import PATTERNS, SIDE_PX
from .pictures import PICTURES, paint_pictures

LEVELS = 7  # mip levels, from SIDE_PX to SIDE_PX / 64
LEVEL_SIDES = tuple(SIDE_PX >> level for level in range(LEVELS))
_PAD_PX = 1  # a repeated texel on each side, so that bilinear lookups tile
_ROW_PX = SIDE_PX + 2 * _PAD_PX
_COLUMN_PX = sum(LEVEL_SIDES) + 2 * _PAD_PX * LEVELS
_STAINS = 7  # patterns of stains
_COLUMNS = 4  # textures side by side in the atlas

SLOTS: dict[str, range] = {}  # pattern name -> its slots in the bank
for _name, (_count, _) in PATTERNS.items():
    _start = max((slots.stop for slots in SLOTS.values()), default=0)
    SLOTS[_name] = range(_start, _start + _count)
_END = max(slots.stop for slots in SLOTS.values())
RENDERED_SLOTS = range(_END + PICTURES, _END + PICTURES + 12)  # of pictures that show rendered scenes
PICTURE_SLOTS = range(_END, RENDERED_SLOTS.stop)


class Bank:
    """All textures in an atlas image.

    Args:
        textures: (slots, 3, SIDE_PX, SIDE_PX) float32, [0, 1].
    """

    def __init__(self, textures: torch.Tensor) -> None:
        rows = -(-textures.shape[0] // _COLUMNS)
        self.atlas = textures.new_zeros((1, 3, rows * _ROW_PX, _COLUMNS * _COLUMN_PX))
        self.replace(0, textures)
        left = np.cumsum([0, *(side + 2 * _PAD_PX for side in LEVEL_SIDES[:-1])]) + _PAD_PX
        slow = F.avg_pool2d(textures[:_STAINS, 1], 4)  # the first patterns are noise
        self._stain = (slow - 0.5).mul(2).reshape(1, 1, -1, slow.shape[-1])
        self._left_px = torch.tensor(left, dtype=torch.float32, device=textures.device)
        self._side_px = torch.tensor(LEVEL_SIDES, dtype=torch.float32, device=textures.device)

    def stains(self, slot: torch.Tensor, u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """Return slow variation around 0 at points (u, v) in metres; the slot selects its pattern."""
        row = torch.remainder(slot * 5, _STAINS)
        x = (u * 0.23).frac_().abs_().mul_(2).sub_(1)
        y = (v * 0.31).frac_().abs_().add_(row).mul_(2 / _STAINS).sub_(1)
        grid = torch.stack([x, y], -1)
        return F.grid_sample(self._stain, grid[None], padding_mode="border", align_corners=False).view(slot.shape)

    def replace(self, first: int, textures: torch.Tensor) -> None:
        """Write textures (n, 3, SIDE_PX, SIDE_PX) and their mip levels to slot `first` and the slots after it."""
        for level, image in enumerate(_pyramid(textures)):
            wrapped = F.pad(image, (_PAD_PX,) * 4, mode="circular")
            side = LEVEL_SIDES[level] + 2 * _PAD_PX
            left = sum(LEVEL_SIDES[:level]) + 2 * _PAD_PX * level
            for index in range(len(textures)):
                row, column = divmod(first + index, _COLUMNS)
                top, start = row * _ROW_PX, column * _COLUMN_PX + left
                self.atlas[0, :, top : top + side, start : start + side] = wrapped[index]

    def look_up(self, slot: torch.Tensor, u: torch.Tensor, v: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        """Return the bilinear texels of any number of points.

        Args:
            slot: (...) float32, slot of each point.
            u, v: (...) float32, texture coordinates; a unit is a tile.
            level: (...) float32, log2 of the texels of level 0 per pixel; rounded to a level; overwritten.

        Returns:
            (3, ...) float32.
        """
        level = level.round_().clamp_(0, LEVELS - 1).to(torch.int64)
        side, left = self._side_px.take(level), self._left_px.take(level)
        row = (slot * (1 / _COLUMNS)).floor_()
        x = (u - u.floor()).mul_(side).add_(left).add_((slot - row * _COLUMNS).mul_(_COLUMN_PX))
        y = (v - v.floor()).mul_(side).add_(row.mul_(_ROW_PX)).add_(_PAD_PX)
        height, width = self.atlas.shape[-2:]
        grid = torch.stack([x.mul_(2 / width).sub_(1), y.mul_(2 / height).sub_(1)], dim=-1)
        texels = F.grid_sample(self.atlas, grid.view(1, 1, -1, 2), mode="bilinear", align_corners=False)
        return texels.view(3, *slot.shape)


def texture_bank(texture_seed: int, device: str) -> Bank:
    """Draw the textures of a seed, which takes about two seconds; the pictures of RENDERED_SLOTS are black."""
    drawn: list[NDArray[np.float32]] = []
    for name, (count, draw) in PATTERNS.items():
        drawn += [_draw(draw, name, texture_seed, index) for index in range(count)]
    pictures = paint_pictures(texture_seed)
    black = np.zeros((len(RENDERED_SLOTS), 3, SIDE_PX, SIDE_PX), np.float32)
    textures = np.concatenate([np.stack(drawn), pictures, black])
    return Bank(torch.from_numpy(textures).to(device))


def _draw(
    draw: Callable[[np.random.Generator], NDArray[np.float32]], name: str, texture_seed: int, index: int
) -> NDArray[np.float32]:
    rng = np.random.default_rng([texture_seed, index, *name.encode()])
    return np.clip(draw(rng), 0, 1).astype(np.float32)


def _pyramid(textures: torch.Tensor) -> list[torch.Tensor]:
    levels = [textures]
    while len(levels) < LEVELS:
        levels.append(F.avg_pool2d(levels[-1], 2))
    return levels
