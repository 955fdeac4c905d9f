"""The head makes one map of the input's size from the tokens of four blocks, whatever the grid."""

from __future__ import annotations

import pytest
import torch
from official_state import TINY

from depthrt.export.network.head import Fusion, Head, ResidualUnit

GRIDS = [(7, 7), (3, 5), (5, 3), (1, 4), (1, 1)]


@pytest.mark.parametrize("grid", GRIDS)
def test_any_grid_becomes_a_map_of_the_inputs_size(grid: tuple[int, int]) -> None:
    tapped = [torch.randn(2, grid[0] * grid[1], TINY.width) for _ in range(4)]
    with torch.inference_mode():
        values = Head(TINY)(tapped, grid)
    assert values.shape == (2, 1, grid[0] * TINY.patch_px, grid[1] * TINY.patch_px)
    assert torch.isfinite(values).all()


def test_tokens_are_laid_out_row_by_row() -> None:
    rows, columns = 3, 4
    tokens = torch.zeros(1, rows * columns, TINY.width)
    tokens[0, 1 * columns + 3] = 100.0  # row 1, column 3
    changes = torch.zeros(rows, columns)
    for seed in range(24):  # a random head can answer most beside the token; 24 in the mean never did, in 240 seeds
        with torch.random.fork_rng(), torch.inference_mode():
            torch.manual_seed(seed)
            head = Head(TINY)
            values, still = (head([tokens * gain] * 4, (rows, columns)) for gain in (1.0, 0.0))
        changed = (values - still).abs().reshape(rows, TINY.patch_px, columns, TINY.patch_px).mean(dim=(1, 3))
        changes += changed / changed.sum()
    assert divmod(int(changes.argmax()), columns) == (1, 3)


def test_every_tapped_block_reaches_the_map() -> None:
    grid = (3, 4)
    head = Head(TINY)
    tapped = [torch.randn(1, 12, TINY.width, generator=torch.Generator().manual_seed(level)) for level in range(4)]
    with torch.inference_mode():
        before = head(tapped, grid)
        for level in range(4):
            changed = [tokens + (number == level) for number, tokens in enumerate(tapped)]
            assert not torch.equal(head(changed, grid), before), level


def test_a_residual_unit_adds_to_what_enters_it_unchanged() -> None:
    unit = ResidualUnit(4)
    torch.nn.init.zeros_(unit.conv2.weight)
    torch.nn.init.constant_(unit.conv2.get_parameter("bias"), 2.0)
    maps = torch.randn(1, 4, 5, 6)  # of both signs: the ReLU must not work in place
    with torch.inference_mode():
        assert torch.equal(unit(maps.clone()), maps + 2)


def test_the_deepest_fusion_does_not_use_its_first_unit() -> None:
    fusion = Fusion(4)
    maps, deeper = torch.randn(1, 4, 3, 3), torch.randn(1, 4, 3, 3)
    with torch.inference_mode():
        before = fusion(maps, None, (6, 6)), fusion(maps, deeper, (6, 6))
        torch.nn.init.constant_(fusion.resConfUnit1.conv2.weight, 1.0)
        after = fusion(maps, None, (6, 6)), fusion(maps, deeper, (6, 6))
    assert torch.equal(before[0], after[0]) and not torch.equal(before[1], after[1])
    assert before[0].shape == (1, 4, 6, 6)
