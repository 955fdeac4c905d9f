"""Maps are cut into square windows and joined again; how far a window's cells lie from each other.

Everything is computed from the sides, so that a graph holds no large constants of its own.
"""

from __future__ import annotations

import torch
from torch import Tensor

APART = -100.0  # added to the products of tokens that only the shift brought together. Source: timm swin_transformer


def cut(maps: Tensor, window: int) -> Tensor:
    """Turn (N, side, side, C) into (N * windows, window * window, C), windows and cells row by row."""
    count, side, _, channels = maps.shape
    along = side // window
    parts = maps.reshape(count, along, window, along, window, channels).transpose(2, 3)
    return parts.reshape(count * along * along, window * window, channels)


def join(windows: Tensor, window: int, side: int) -> Tensor:
    """Turn (N * windows, window * window, C) into (N, side, side, C), the reverse of `cut`."""
    along = side // window
    parts = windows.reshape(-1, along, along, window, window, windows.shape[-1]).transpose(2, 3)
    return parts.reshape(-1, side, side, windows.shape[-1])


def relative_index(window: int, device: torch.device) -> Tensor:
    """Return for each pair of a window's cells the row of a table of relative positions: (cells * cells,) int64.

    The table's rows are (2 * window - 1)**2 offsets, from the farthest above to the farthest below, row by row.
    """
    places = torch.arange(window, device=device)
    offsets = places[:, None] - places + (window - 1)  # (window, window), of rows or of columns
    rows = offsets[:, None, :, None] * (2 * window - 1)
    return (rows + offsets[None, :, None, :]).reshape(-1)


def shift_mask(side: int, window: int, shift: int, device: torch.device) -> Tensor:
    """Return (windows, 1, cells, cells): 0 for cells that lie together in the image, APART for others.

    Rolling a map by the shift brings its first rows and columns behind its last ones, into the same windows.
    """
    places = torch.arange(side, device=device)
    strips = (places >= side - window).to(torch.int64) + (places >= side - shift).to(torch.int64)
    regions = strips[:, None] * 3 + strips  # (side, side); 9 regions
    labels = cut(regions[None, :, :, None], window)[..., 0]  # (windows, cells)
    together = labels[:, :, None] == labels[:, None, :]
    return torch.where(together, 0.0, APART)[:, None]


def log_offsets(window: int, scaled_window: int, like: Tensor) -> Tensor:
    """Return the offsets of relative_index's table as version 2 sees them: ((2 * window - 1)**2, 2).

    Source: Liu et al. 2022, Swin Transformer V2, section 3.3, log-spaced continuous relative positions.

    Args:
        window: Side of the windows in cells.
        scaled_window: Side that the offsets are scaled by.
        like: Decides the type and the device.
    """
    offsets = torch.arange(1 - window, window, device=like.device).to(like.dtype) * 8 / (scaled_window - 1)
    logs = torch.sign(offsets) * torch.log2(1 + offsets.abs()) / 3
    along = 2 * window - 1
    pairs = torch.stack((logs[:, None].expand(along, along), logs.expand(along, along)), dim=-1)
    return pairs.reshape(-1, 2)
