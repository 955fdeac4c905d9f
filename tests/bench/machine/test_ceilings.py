"""The work of a network, and what a CPU can do at most."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from random_checkpoint import TINY
from tiny_model import TinyModel

from depthrt.bench.machine import ceilings
from depthrt.bench.machine.ceilings import count_work
from depthrt.bench.subjects.checkpoint_options import CheckpointOptions
from depthrt.engine.terms import Precision

SIZE = (98, 126)
OPTIONS = CheckpointOptions(SIZE, "depth-anything-v2", "inverse")


def test_work_is_that_of_the_products_and_convolutions(tiny: TinyModel) -> None:
    grid = SIZE[0] // TINY.patch_px, SIZE[1] // TINY.patch_px
    cells, tokens, width = grid[0] * grid[1], grid[0] * grid[1] + 1, TINY.width
    linear = 2 * tokens * width * (3 * width + width + 2 * TINY.hidden)
    blocks = TINY.depth * (linear + 4 * tokens**2 * width)
    work = count_work(tiny.checkpoint, OPTIONS) * 1e9
    assert blocks < work
    twice = count_work(tiny.checkpoint, replace(OPTIONS, size=(2 * SIZE[0], SIZE[1]))) * 1e9
    attention = TINY.depth * 4 * width * ((2 * cells + 1) ** 2 - 2 * tokens**2)  # grows as the square, all else alike
    assert twice == pytest.approx(2 * work + attention, rel=0.01)


def test_ceilings_are_measured_with_the_given_threads_and_the_old_ones_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ceilings, "CEILING_SIDE", 64)
    before, seen, product_s = torch.get_num_threads(), set[int](), ceilings._product_s

    def watched(left: torch.Tensor, right: torch.Tensor) -> float:
        seen.add(torch.get_num_threads())
        return product_s(left, right)

    monkeypatch.setattr(ceilings, "_product_s", watched)
    found = ceilings.measure_ceilings(1)
    assert seen == {1} and torch.get_num_threads() == before
    assert tuple(found) == ceilings.torch_precisions() and all(rate > 0 for rate in found.values())


@pytest.mark.parametrize(
    ("of_the_cpu", "expected"),
    [(("fp32", "bf16"), ("fp32", "bf16")), (("fp32",), ("fp32",)), ((), ("fp32",))],  # (): OpenVINO is not installed
)
def test_bf16_is_measured_only_where_the_cpu_has_instructions_for_it(
    monkeypatch: pytest.MonkeyPatch, of_the_cpu: tuple[Precision, ...], expected: tuple[Precision, ...]
) -> None:
    monkeypatch.setattr(ceilings, "cpu_precisions", lambda: of_the_cpu)
    assert ceilings.torch_precisions() == expected
