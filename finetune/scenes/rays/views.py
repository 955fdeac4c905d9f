"""Views: cameras as ray matrices, with their images cut into tiles, which are cast and shaded."""

from __future__ import annotations

from dataclasses import dataclass

import torch

TILE_PX = 8  # side of a tile; fastest of 4, 8 and 16
TILE_AREA = TILE_PX * TILE_PX


@dataclass(frozen=True, slots=True)
class Views:
    """Cameras of one image size.

    Args:
        scene: (v,) int64, scene of each view.
        position: (v, 3) float64, world.
        rays: (v, 3, 3) float64, world direction of pixel (u, v, 1), of unit depth.
        pixels: (v, 3, 3) float64, the inverse: (u z, v z, z) of a world offset.
        height_px, width_px: Size of the image.
    """

    scene: torch.Tensor
    position: torch.Tensor
    rays: torch.Tensor
    pixels: torch.Tensor
    height_px: int
    width_px: int

    @property
    def grid(self) -> tuple[int, int]:
        """Tiles (down, across)."""
        return -(-self.height_px // TILE_PX), -(-self.width_px // TILE_PX)

    @property
    def tiles(self) -> int:
        """Number of tiles of all views."""
        return len(self.scene) * self.grid[0] * self.grid[1]

    def tile_view(self) -> torch.Tensor:
        """Return the view of each tile, (tiles,) int64."""
        area = self.grid[0] * self.grid[1]
        return torch.arange(len(self.scene), device=self.scene.device).repeat_interleave(area)

    def tile_corner(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (u, v) of the first pixel of each tile of a view, (tiles of a view,) float64 each."""
        down, across = self.grid
        at = torch.arange(down * across, device=self.scene.device)
        return (at % across).double() * TILE_PX, (at // across).double() * TILE_PX


def tile_pixels(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (u, v) of the pixels of a tile relative to its first pixel, (TILE_AREA,) float32 each."""
    at = torch.arange(TILE_AREA, device=device)
    return (at % TILE_PX).float(), (at // TILE_PX).float()
