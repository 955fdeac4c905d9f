"""The figures stand beside their goals."""

from __future__ import annotations

import pytest

from depthrt.bench.load.batches import BatchCost
from depthrt.bench.load.figures import LoadFigures, Memory, Rates
from depthrt.bench.load.load_table import batch_rows, load_rows, memory_line, rate_rows, ratio_line, way_rows
from depthrt.bench.load.study_way import Way


def test_columns_stand_below_each_other() -> None:
    loads = [LoadFigures(1, 5, 0, {}, 9.5, 1, 2, 3), LoadFigures(32, 5, 7, {"status 500": 2}, 10, 1000, 2, 3)]
    head, first, second = load_rows(loads).splitlines()
    assert head.index("answers/s") + len("answers/s") == first.index("9.50") + 4 == second.index("10.00") + 5
    assert first.endswith("none") and second.endswith("2 x status 500")
    assert "200" in rate_rows({"service": Rates(9.9, 200.4)})


@pytest.mark.parametrize(("ratio", "word"), [(0.9, "met"), (0.899, "MISSED")])
def test_the_ratio_says_whether_its_goal_is_met(ratio: float, word: str) -> None:
    assert ratio_line(ratio).endswith(f": {word})")


@pytest.mark.parametrize(("last", "word"), [(104.9, "met"), (105.1, "MISSED")])
def test_memory_says_whether_its_goal_is_met(last: float, word: str) -> None:
    assert f": {word}); peak 200 MiB" in memory_line(Memory(2000, 100.0, last, 200.0))


def test_a_batch_gains_only_what_is_worth_it() -> None:
    assert "no batch gains" in batch_rows([BatchCost(1, 100, 99, 1.0), BatchCost(2, 97, 99, 0.97)])
    assert "\na batch gains" in batch_rows([BatchCost(1, 100, 99, 1.0), BatchCost(2, 90, 99, 0.9)])
    assert "one image at a time" in batch_rows([])


def test_ways_are_compared_with_the_first() -> None:
    assert way_rows([Way("study", (200.0, 100.0, 300.0)), Way("ours", (20.0,))]).splitlines()[2].endswith("10.0")
