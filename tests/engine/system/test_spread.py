"""Samples are spread evenly over a list."""

from __future__ import annotations

import pytest

from depthrt.engine.system.spread import spread


@pytest.mark.parametrize(
    ("length", "count", "expected"),
    [
        (10, 5, [0, 2, 4, 6, 8]),
        (10, 3, [0, 3, 6]),
        (3, 3, [0, 1, 2]),
        (3, 10, [0, 1, 2]),
        (10, 1, [0]),
        (10, 0, []),
        (0, 5, []),
    ],
)
def test_samples_begin_with_the_first_and_have_even_steps(length: int, count: int, expected: list[int]) -> None:
    assert spread(range(length), count) == expected


def test_no_item_is_taken_twice_and_steps_differ_by_one_at_most() -> None:
    for length in range(1, 40):
        for count in range(1, length + 1):
            taken = spread(range(length), count)
            steps = [after - before for before, after in zip(taken, [*taken[1:], length], strict=True)]
            assert len(taken) == count and min(steps) >= 1 and max(steps) - min(steps) <= 1
