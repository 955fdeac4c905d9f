"""Batches made ahead are those of the source, in any order, with their errors."""

from __future__ import annotations

import threading

import pytest
import torch
from tiny_training import Planes

from depthrt.engine.errors import InputError
from depthrt.finetune.data.batches import Batch
from depthrt.finetune.training.read_ahead import ReadAhead


def test_batches_read_ahead_are_those_of_the_source_in_any_order() -> None:
    source = Planes()
    with ReadAhead(Planes(), stride=2) as ahead:
        for index in (0, 2, 4, 3, 20, 22):
            assert torch.equal(ahead.batch(index).images, source.batch(index).images)


def test_an_error_of_a_batch_is_raised_when_that_batch_is_asked_for() -> None:
    class Third(Planes):
        def batch(self, index: int) -> Batch:
            if index == 3:
                raise InputError("no third batch")
            return super().batch(index)

    with ReadAhead(Third()) as ahead:
        for index in range(3):
            ahead.batch(index)
        with pytest.raises(InputError, match="no third batch"):
            ahead.batch(3)


def test_the_batches_after_an_asked_one_are_made_by_threads_with_a_single_torch_thread() -> None:
    threads: dict[int, tuple[str, int]] = {}

    class Observed(Planes):
        def batch(self, index: int) -> Batch:
            threads[index] = (threading.current_thread().name, torch.get_num_threads())
            return super().batch(index)

    with ReadAhead(Observed(), stride=3, threads=1) as ahead:
        ahead.batch(6)
    assert {6} <= set(threads) <= {6, 9}  # the second only if there was time
    assert set(threads.values()) == {("read-ahead_0", 1)}


def test_a_batch_is_made_once() -> None:
    source = Planes()
    with ReadAhead(source) as ahead:
        for index in range(8):
            ahead.batch(index)
    assert sorted(source.asked)[:8] == list(range(8))
    assert len(set(source.asked)) == len(source.asked)
