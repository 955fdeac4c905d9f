"""Torch's threads are what they were before a run, however many subjects set them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from made_subjects import ANSWERS_ALONE, MadeRunner, slope, subject, write_images

from depthrt.bench.run.run_bench import run_bench
from depthrt.bench.subjects import torch_threads
from depthrt.bench.subjects.subject import Subject
from depthrt.bench.subjects.torch_threads import torch_threads_as_before, use_torch_threads
from depthrt.engine.model.depth_model import DepthModel


@pytest.fixture(autouse=True)
def before(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The number of threads before, 3, which no other test has."""
    monkeypatch.setattr(torch_threads, "_BEFORE", [])  # other tests open subjects outside a benchmark
    own = torch.get_num_threads()
    torch.set_num_threads(3)
    yield 3
    torch.set_num_threads(own)


def test_threads_come_back_after_several_changes_and_an_error(before: int) -> None:
    with torch_threads_as_before():
        use_torch_threads(1)
        use_torch_threads(2)
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == before
    with pytest.raises(ValueError, match="planted"), torch_threads_as_before():
        use_torch_threads(1)
        raise ValueError("planted")
    assert torch.get_num_threads() == before


def test_a_run_inside_a_run_leaves_it_to_the_outer_one(before: int) -> None:
    with torch_threads_as_before():
        use_torch_threads(1)
        with torch_threads_as_before():
            use_torch_threads(2)
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == before


def test_without_a_change_nothing_is_put_back(before: int) -> None:
    with torch_threads_as_before():
        torch.set_num_threads(1)  # by a user
    assert torch.get_num_threads() == 1


def test_a_benchmark_leaves_the_threads_of_the_process(before: int, tmp_path: Path) -> None:
    made = subject("made", MadeRunner(slope()))

    def open_one() -> DepthModel:
        use_torch_threads(1)
        return made.open()

    run_bench([Subject("made", open_one)], write_images(tmp_path, 1), ANSWERS_ALONE)
    assert torch.get_num_threads() == before
