"""The position table is resampled as DINOv2 does it."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from network_answers import SAME_FORMULA

from depthrt.export.network.positions import resample_table

FLOAT32_SUMS = 4e-6  # rounding of sums of 16 products of numbers around 1, before they become half


@pytest.mark.parametrize("side", [1, 16, 37])
@pytest.mark.parametrize("grid", [(37, 38), (37, 66), (18, 24), (16, 37), (1, 1), (5, 130)])
def test_positions_are_resampled_as_torch_does_by_scale_factor(side: int, grid: tuple[int, int]) -> None:
    table = torch.randn(1, side * side, 6, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    factors = ((grid[0] + 0.1) / side, (grid[1] + 0.1) / side)
    planes = table.reshape(1, side, side, 6).permute(0, 3, 1, 2)
    expected = F.interpolate(planes, scale_factor=factors, mode="bicubic", align_corners=False)
    torch.testing.assert_close(
        resample_table(table, side, grid), expected.flatten(2).transpose(1, 2), rtol=0, atol=SAME_FORMULA
    )


def test_the_native_square_grid_keeps_the_table_bit_for_bit() -> None:
    table = torch.randn(1, 37 * 37, 6, generator=torch.Generator().manual_seed(3))
    assert torch.equal(resample_table(table, 37, (37, 37)), table)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_table_in_half_precision_is_rounded_once_at_the_end(dtype: torch.dtype) -> None:
    table = torch.randn(1, 16 * 16, 6, generator=torch.Generator().manual_seed(3)).to(dtype)
    exact = resample_table(table.double(), 16, (9, 13))
    found = resample_table(table, 16, (9, 13))
    assert found.dtype == dtype and found.shape == (1, 9 * 13, 6)
    one_rounding = 0.5 * torch.finfo(dtype).eps * exact.abs() + FLOAT32_SUMS
    assert ((found.double() - exact).abs() <= one_rounding).all()
