"""The head of MiDaS makes one map of the input's size from four maps, whatever the size."""

from __future__ import annotations

import pytest
import torch

from depthrt.export.network.midas.architecture import CELL_PX
from depthrt.export.network.midas.head import Scratch

CHANNELS, FEATURES = (4, 6, 8, 8), 16


def maps_of(cells: tuple[int, int]) -> list[torch.Tensor]:
    """Return four random maps, shallow to deep."""
    return [
        torch.randn(2, count, cells[0] * parts, cells[1] * parts)
        for count, parts in zip(CHANNELS, (8, 4, 2, 1), strict=True)
    ]


@pytest.mark.parametrize("cells", [(4, 4), (2, 3), (3, 1), (1, 1)])
def test_any_number_of_cells_becomes_a_map_of_the_inputs_size(cells: tuple[int, int]) -> None:
    with torch.inference_mode():
        values = Scratch(CHANNELS, FEATURES)(maps_of(cells), cells)
    assert values.shape == (2, 1, cells[0] * CELL_PX, cells[1] * CELL_PX)
    assert torch.isfinite(values).all()


def test_every_map_reaches_the_output() -> None:
    head, maps = Scratch(CHANNELS, FEATURES), maps_of((2, 3))
    with torch.inference_mode():
        before = head(maps, (2, 3))
        for level in range(4):
            changed = [part + (number == level) for number, part in enumerate(maps)]
            assert not torch.equal(head(changed, (2, 3)), before), level


def test_fusions_go_from_deep_to_shallow_and_double_the_size() -> None:
    with torch.inference_mode():
        found = Scratch(CHANNELS, FEATURES).fuse(maps_of((2, 3)), (2, 3))
    assert [tuple(fused.shape[1:]) for fused in found] == [(FEATURES, 2 * side, 3 * side) for side in (1, 2, 4, 8, 16)]


def test_its_tensors_have_the_official_names() -> None:
    names = set(Scratch(CHANNELS, FEATURES).state_dict())
    units = {
        f"resConfUnit{unit}.conv{conv}.{part}" for unit in (1, 2) for conv in (1, 2) for part in ("weight", "bias")
    }
    fusion = {"out_conv.weight", "out_conv.bias", *units}
    expected = {f"layer{level}_rn.weight" for level in range(1, 5)}
    expected |= {f"refinenet{level}.{name}" for level in range(1, 5) for name in fusion}
    assert names == expected | {f"output_conv.{layer}.{part}" for layer in (0, 2, 4) for part in ("weight", "bias")}
