"""A level of the head becomes a map of its size, laid out row by row, with the class token in every cell."""

from __future__ import annotations

import pytest
import torch

from depthrt.export.network.midas.reassemble import Reassemble


@pytest.mark.parametrize(("level", "size"), [(1, (16, 24)), (2, (8, 12)), (3, (4, 6)), (4, (2, 3))])
def test_each_level_has_half_the_size_of_the_one_before(level: int, size: tuple[int, int]) -> None:
    with torch.inference_mode():
        maps = Reassemble(8, 5, level)(torch.randn(2, 25, 8), (4, 6))
    assert maps.shape == (2, 5, *size)


def test_a_token_changes_its_own_cell_and_the_class_token_all() -> None:
    layer, tokens = Reassemble(8, 5, 3), torch.randn(1, 7, 8)
    with torch.inference_mode():
        before = layer(tokens, (2, 3))
        own, every = tokens.clone(), tokens.clone()
        own[0, 1 + 1 * 3 + 2] += 1  # row 1, column 2
        every[0, 0] += 1
        changed = [(layer(other, (2, 3)) != before).any(dim=1)[0] for other in (own, every)]
    assert changed[0].tolist() == [[False, False, False], [False, False, True]]
    assert bool(changed[1].all())
