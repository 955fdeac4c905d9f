"""Biases by relative position reach the pairs of tokens that they belong to."""

from __future__ import annotations

import pytest
import torch

from depthrt.export.network.midas.relative_positions import CLASS_ROWS, pair_index, resample_biases, spread_biases


@pytest.mark.parametrize("grid", [(1, 1), (2, 3), (4, 2)])
def test_the_bias_of_a_pair_stands_at_the_difference_of_its_places(grid: tuple[int, int]) -> None:
    height, width = grid
    biases = torch.randn(2, (2 * height - 1) * (2 * width - 1))
    classes = torch.randn(CLASS_ROWS, 2)
    found = spread_biases(biases, classes, pair_index(grid, torch.zeros(1, 3, 16, 16)))
    patches = [(row, column) for row in range(height) for column in range(width)]
    assert found.shape == (1, 2, 1 + len(patches), 1 + len(patches))
    for query, (row, column) in enumerate(patches, start=1):
        for key, (other_row, other_column) in enumerate(patches, start=1):
            step = (row - other_row + height - 1) * (2 * width - 1) + column - other_column + width - 1
            assert torch.equal(found[0, :, query, key], biases[:, step])
    assert torch.equal(found[0, :, 0, 1:].T, classes[0].expand(len(patches), -1))
    assert torch.equal(found[0, :, 1:, 0].T, classes[1].expand(len(patches), -1))
    assert torch.equal(found[0, :, 0, 0], classes[2])


@pytest.mark.parametrize("pixel", [float("nan"), float("inf"), -1.0])
def test_no_pixel_changes_the_index(pixel: float) -> None:
    usual, other = (pair_index((2, 3), torch.full((1, 3, 32, 48), value)) for value in (0.0, pixel))
    assert torch.equal(usual.strips, other.strips)
    assert torch.equal(usual.rows, other.rows)


def test_the_tables_own_grid_leaves_the_biases_as_they_are() -> None:
    table = torch.randn(5 * 5 + CLASS_ROWS, 2)
    assert torch.equal(resample_biases(table, 3, (3, 3)), table[:25].T)


def test_half_precision_is_resampled_in_float32() -> None:
    table = (torch.randn(5 * 5 + CLASS_ROWS, 2)).half()
    expected = resample_biases(table.float(), 3, (4, 2)).half()
    assert torch.equal(resample_biases(table, 3, (4, 2)), expected)
