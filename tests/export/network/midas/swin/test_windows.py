"""Cutting maps into windows, and how far the cells of a window lie from each other."""

from __future__ import annotations

import pytest
import torch

from depthrt.export.network.midas.swin.windows import APART, cut, join, log_offsets, relative_index, shift_mask

CPU = torch.device("cpu")


@pytest.mark.parametrize(("side", "window"), [(8, 4), (6, 2), (4, 4)])
def test_joined_windows_are_the_map_again(side: int, window: int) -> None:
    maps = torch.arange(2 * side * side * 3).reshape(2, side, side, 3)
    windows = cut(maps, window)
    assert windows.shape == (2 * (side // window) ** 2, window * window, 3)
    assert torch.equal(windows[0], maps[0, :window, :window].reshape(-1, 3))
    assert torch.equal(windows[-1], maps[1, -window:, -window:].reshape(-1, 3))
    assert torch.equal(join(windows, window, side), maps)


def test_the_index_counts_offsets_of_rows_then_of_columns() -> None:
    index = relative_index(2, CPU).reshape(4, 4)
    assert index.tolist() == [[4, 3, 1, 0], [5, 4, 2, 1], [7, 6, 4, 3], [8, 7, 5, 4]]  # Source: timm, window of 2


def test_cells_that_only_the_shift_brought_together_are_kept_apart() -> None:
    side, window, shift = 8, 4, 2
    places = torch.arange(side).roll(-shift)  # where each row of the rolled map comes from
    rows = cut(places[None, :, None, None].expand(1, side, side, 1), window)[..., 0]
    columns = cut(places[None, None, :, None].expand(1, side, side, 1), window)[..., 0]
    near = ((rows[:, :, None] - rows[:, None]).abs() < window) & (
        (columns[:, :, None] - columns[:, None]).abs() < window
    )
    assert torch.equal(shift_mask(side, window, shift, CPU)[:, 0], torch.where(near, 0.0, APART))
    assert APART == -100.0  # products reach 116, so a larger number would change answers


def test_offsets_are_the_logarithms_of_the_paper() -> None:
    offsets = log_offsets(2, 2, torch.zeros(1))
    assert offsets.shape == (9, 2)
    most = torch.log2(torch.tensor(9.0)) / 3  # the outermost offset is 8 before the logarithm
    assert torch.allclose(offsets[0], torch.stack((-most, -most))) and torch.equal(offsets[4], torch.zeros(2))
    assert torch.allclose(offsets[1], torch.stack((-most, most * 0)))
    assert log_offsets(3, 2, torch.zeros(1, dtype=torch.float64)).abs().max() > most  # scaled by a smaller window
