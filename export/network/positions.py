"""A square table of positions becomes the positions of any grid of patches, by DINOv2's rule."""

from __future__ import annotations

import torch
from torch import Tensor

TENTHS = 10  # a grid's sides are nudged by 0.1 before the table is scaled. Source: DINOv2 interpolate_offset
CUBIC_A = -0.75  # Source: torch.nn.functional.interpolate, mode="bicubic"
CUBIC_REACH = 2  # the kernel is zero from this distance on


def resample_table(table: Tensor, side: int, grid: tuple[int, int]) -> Tensor:
    """Resample a square position table bicubically, as two small matrix products.

    Equal to torch.nn.functional.interpolate with scale_factor=((gh + 0.1) / side, (gw + 0.1) / side),
    mode="bicubic", align_corners=False; the grid (side, side) gives the table unchanged.
    Matrix products are used because ONNX runtimes disagree about a Resize by scale.
    Source: DINOv2 dinov2/models/vision_transformer.py, interpolate_pos_encoding.

    Args:
        table: (1, side * side, C), row by row.
        side: Number of rows and of columns of the table.
        grid: (gh, gw), ints or symbolic ints.

    Returns:
        (1, gh * gw, C) in the table's dtype; the arithmetic is float32 or better.
    """
    rows, columns = grid
    counts = [torch.scalar_tensor(count, dtype=torch.int64, device=table.device) for count in grid]
    native = (counts[0] == side) & (counts[1] == side)
    scaled = [count * TENTHS + torch.where(native, 0, 1) for count in counts]  # 10 * gh + 1 is 10 * (gh + 0.1)
    dtype = torch.promote_types(table.dtype, torch.float32)
    squares = table.to(dtype).reshape(side, -1)  # (side, side * C)
    squares = _cubic_weights(rows, scaled[0], side, dtype) @ squares  # (gh, side * C)
    squares = _cubic_weights(columns, scaled[1], side, dtype) @ squares.reshape(rows, side, -1)  # (gh, gw, C)
    return squares.reshape(1, rows * columns, -1).to(table.dtype)


def _cubic_weights(count: int, scaled: Tensor, side: int, dtype: torch.dtype) -> Tensor:
    """Return the (count, side) matrix that resamples a line of values with the cubic kernel.

    Sample i lies at (i + 0.5) * side / (scaled / 10) - 0.5. Its distance to a cell is computed in integers up to the
    last division: runtimes that lower float32 to bf16 would otherwise move a sample by up to an eighth of a cell.

    Args:
        count: Number of samples.
        scaled: () int64, ten times the number of samples that span the line.
        side: Number of source cells; the outermost cell is repeated beyond them.
        dtype: Of the result.
    """
    samples = torch.arange(count, device=scaled.device)[:, None]
    cells = torch.arange(-CUBIC_REACH, side + CUBIC_REACH, device=scaled.device)
    whole = 2 * scaled  # length of a cell in the integers below
    places = (2 * samples + 1) * (TENTHS * side) - scaled  # (count, 1)
    distance = (places - cells * whole).abs().to(dtype) / whole.to(dtype)  # (count, side + 4), in cells
    near = ((CUBIC_A + 2) * distance - (CUBIC_A + 3)) * distance * distance + 1
    far = ((distance - 5) * distance + 8) * distance * CUBIC_A - 4 * CUBIC_A
    weights = torch.where(distance <= 1, near, torch.where(distance < CUBIC_REACH, far, torch.zeros_like(far)))
    continued = cells.clamp(0, side - 1)[:, None] == torch.arange(side, device=scaled.device)  # (side + 4, side)
    return weights @ continued.to(dtype)
