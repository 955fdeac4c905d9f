"""A table of biases by relative position becomes the bias of every pair of tokens, as BEiT adds it to attention.

The biases of all pairs are a thousand times as large as the table. A runtime that found them constant would keep them
for every block, so the index depends on the image's values, in a way that never changes it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

CLASS_ROWS = 3  # the table's last rows: class token to patches, patches to class token, class token to itself


@dataclass(frozen=True, slots=True)
class PairIndex:
    """Where the bias of each pair of patches stands; the same for all blocks.

    A row of the table holds the biases of 2 * gh - 1 by 2 * gw - 1 relative positions. `strips` takes from it, for each
    column of the query and each relative row, the strip of gw biases that belong to the keys of one row; `rows` puts
    strips side by side. Copying strips is several times as fast as copying single values.

    Args:
        strips: (gw * (2 * gh - 1) * gw,) int64.
        rows: (gh * gw * gh,) int64.
        grid: (gh, gw), ints or symbolic ints.
    """

    strips: Tensor
    rows: Tensor
    grid: tuple[int, int]


def pair_index(grid: tuple[int, int], batch: Tensor) -> PairIndex:
    """Return the index of all pairs of patches.

    Args:
        grid: (gh, gw), ints or symbolic ints.
        batch: (N, 3, h, w); keeps the index from being a constant.
    """
    height, width = grid
    zero = (batch[0, 0, 0, 0].abs() < 0).to(torch.int64)  # whatever the value, NaN included
    rows, columns = torch.arange(height, device=batch.device), torch.arange(width, device=batch.device)
    steps = torch.arange(2 * height - 1, device=batch.device)
    across = columns[:, None] - columns + (width - 1)  # (query's column, key's column)
    strips = steps[:, None] * (2 * width - 1) + across[:, None] + zero  # (query's column, step, key's column)
    down = rows[:, None] - rows + (height - 1)  # (query's row, key's row)
    places = columns[:, None] * (2 * height - 1) + down[:, None] + zero  # (query's row, query's column, key's row)
    return PairIndex(strips.flatten(), places.flatten(), grid)


def resample_biases(table: Tensor, side: int, grid: tuple[int, int]) -> Tensor:
    """Resample the biases of patches for one grid, bilinearly by size; the table's own grid leaves them unchanged.

    Source: isl-org/MiDaS midas/backbones/beit.py.

    Args:
        table: ((2 * side - 1)^2 + CLASS_ROWS, heads), row by row.
        side: Side of the square grid of patches that the table was trained for.
        grid: (gh, gw), ints or symbolic ints.

    Returns:
        (heads, (2 * gh - 1) * (2 * gw - 1)), in the table's dtype; the arithmetic is float32 or better.
    """
    length = 2 * side - 1
    maps = table[:-CLASS_ROWS].to(torch.promote_types(table.dtype, torch.float32)).T.reshape(1, -1, length, length)
    size = (2 * grid[0] - 1, 2 * grid[1] - 1)
    return F.interpolate(maps, size=size, mode="bilinear", align_corners=False).flatten(2)[0].to(table.dtype)


def spread_biases(biases: Tensor, classes: Tensor, index: PairIndex) -> Tensor:
    """Return the bias of every pair of tokens, the class token first.

    Args:
        biases: Of the relative positions of patches, as resample_biases returns them.
        classes: (CLASS_ROWS, heads), the end of the table.
        index: Of the same grid.

    Returns:
        (1, heads, T, T) with T = 1 + gh * gw; the query's token before the key's.
    """
    height, width = index.grid
    patches = height * width
    strips = torch.unflatten(biases.index_select(1, index.strips), 1, (width * (2 * height - 1), width))
    pairs = torch.unflatten(strips.index_select(1, index.rows).flatten(1), 1, (patches, patches))
    to_patches, to_class, itself = classes[:, :, None, None].unbind()  # each (heads, 1, 1)
    first = torch.cat((itself, to_patches.expand(-1, 1, patches)), dim=2)
    others = torch.cat((to_class.expand(-1, patches, 1), pairs), dim=2)
    return torch.cat((first, others), dim=1)[None]
