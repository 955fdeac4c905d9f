"""A square table of positions becomes positions for any grid of patches, by DINOv2's rule."""

from __future__ import annotations

import torch
from torch import Tensor

GRID_NUDGE = 0.1  # added to a grid's sides before the table is scaled. Source: DINOv2 interpolate_offset
CUBIC_A = -0.75  # Source: torch.nn.functional.interpolate, mode="bicubic"
CUBIC_REACH = 2  # the kernel is zero from this distance on


def resample_table(table: Tensor, side: int, grid: tuple[int, int]) -> Tensor:
    """Resample a square position table bicubically, as two small matrix products.

    Equal to torch.nn.functional.interpolate with scale_factor=((gh + 0.1) / side, (gw + 0.1) / side),
    mode="bicubic", align_corners=False; the square grid of the table's own side gives the table itself.
    Matrix products, because ONNX runtimes disagree about a Resize by scale.
    Source: DINOv2 dinov2/models/vision_transformer.py, interpolate_pos_encoding.

    Args:
        table: (1, side * side, C), row by row.
        side: Of the table.
        grid: (gh, gw), ints or symbolic ints.

    Returns:
        (1, gh * gw, C) in the table's dtype; the arithmetic is float32 or better.
    """
    rows, columns = grid
    dtype = torch.promote_types(table.dtype, torch.float32)
    sides = [torch.scalar_tensor(count, dtype=dtype, device=table.device) for count in grid]
    native = (sides[0] == side) & (sides[1] == side)
    steps = [torch.where(native, torch.ones_like(count), side / (count + GRID_NUDGE)) for count in sides]
    squares = table.to(dtype).reshape(side, -1)  # (side, side * C)
    squares = _cubic_weights(rows, steps[0], side) @ squares  # (gh, side * C)
    squares = _cubic_weights(columns, steps[1], side) @ squares.reshape(rows, side, -1)  # (gh, gw, C)
    return squares.reshape(1, rows * columns, -1).to(table.dtype)


def _cubic_weights(count: int, step: Tensor, side: int) -> Tensor:
    """Return the (count, side) matrix that resamples a line of values with the cubic kernel.

    Args:
        count: Number of samples.
        step: Distance between samples, in source cells.
        side: Number of source cells; beyond them the outermost one continues.
    """
    centres = (torch.arange(count, dtype=step.dtype, device=step.device) + 0.5) * step - 0.5
    cells = torch.arange(-CUBIC_REACH, side + CUBIC_REACH, device=step.device)
    distance = (centres[:, None] - cells).abs()  # (count, side + 4)
    near = ((CUBIC_A + 2) * distance - (CUBIC_A + 3)) * distance * distance + 1
    far = ((distance - 5) * distance + 8) * distance * CUBIC_A - 4 * CUBIC_A
    weights = torch.where(distance <= 1, near, torch.where(distance < CUBIC_REACH, far, torch.zeros_like(far)))
    continued = cells.clamp(0, side - 1)[:, None] == torch.arange(side, device=step.device)  # (side + 4, side)
    return weights @ continued.to(step.dtype)
