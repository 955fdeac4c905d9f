"""The head adds waves that show where a cell is, the same in the middle for every size."""

from __future__ import annotations

import torch

from depthrt.export.network.depth_anything3.head import PLACE_GAIN, add_waves


def waves(grid: tuple[int, int], cells: int = 1) -> torch.Tensor:
    return add_waves(torch.zeros(1, 16, grid[0] * cells, grid[1] * cells), grid, cells)[0]


def test_columns_are_in_the_first_half_of_the_channels_and_rows_in_the_second() -> None:
    across, down = waves((4, 6)).chunk(2)
    assert torch.equal(across, across[:, :1].expand_as(across))
    assert torch.equal(down, down[:, :, :1].expand_as(down))
    assert torch.equal(waves((6, 4)), torch.cat((down.mT, across.mT)))


def test_sines_turn_their_sign_about_the_middle_and_cosines_do_not() -> None:
    sines, cosines = waves((1, 7))[:8].chunk(2)
    assert torch.equal(sines, -sines.flip(-1))
    assert torch.equal(cosines, cosines.flip(-1))
    assert cosines[:, 0, 3].eq(PLACE_GAIN).all()


def test_the_diagonal_of_any_image_has_the_same_length() -> None:
    first = torch.asin(waves((3, 4))[0, 0, 0] / PLACE_GAIN)  # the slowest wave at the first column
    assert torch.isclose(first, torch.tensor(-4 / 5 * 3 / 4))
    finer = torch.asin(waves((3, 4), cells=14)[0, 0, 0] / PLACE_GAIN)
    assert torch.isclose(finer, torch.tensor(-4 / 5 * 55 / 56))
