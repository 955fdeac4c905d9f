"""The process group: what each call returns in two processes, and in a single one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from two_processes import Ranks

from depthrt.finetune.training.group import Group, announced_group, join_group, speaks_for_all

LONGEST_VALIDATION_S = 6 * 3600  # torch's own timeout is half an hour


def test_each_process_has_its_rank_and_only_the_first_writes(two_processes: tuple[Path, Ranks]) -> None:
    found = [rank["group"] for rank in two_processes[1]]
    assert [(call["rank"], call["size"], call["first"]) for call in found] == [(0, 2, True), (1, 2, False)]


@pytest.mark.parametrize(
    ("call", "expected"), [("any", [False, True]), ("mean", {"a": 0.5, "b": 4.0}), ("of_first", 7)]
)
def test_every_process_gets_the_same_answer(call: str, expected: object, two_processes: tuple[Path, Ranks]) -> None:
    assert [rank["group"][call] for rank in two_processes[1]] == [expected] * 2


def test_gradients_are_averaged_unless_they_are_held_back(two_processes: tuple[Path, Ranks]) -> None:
    for rank, found in enumerate(two_processes[1]):
        local, mean = rank + 1.0, 1.5  # inputs are 1 and 2
        assert found["group"]["gradients"] == [local, 2 * mean]


def test_processes_wait_through_a_validation_of_hours(two_processes: tuple[Path, Ranks]) -> None:
    assert all(rank["group"]["timeout_s"] >= LONGEST_VALIDATION_S for rank in two_processes[1])


def test_a_single_process_needs_no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setattr(dist, "init_process_group", None)  # calling it would fail
    with join_group("cpu") as group:
        model = torch.nn.Linear(1, 1)
        assert group == Group(0, 1, torch.device("cpu"))
        assert group.first and group.wrap(model) is model
        with group.hold_back(model, True):
            group.wait()
        assert (group.any(True), group.any(False), group.of_first(5), group.mean({"a": 2.0})) == (
            True,
            False,
            5,
            {"a": 2},
        )


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, (0, 1)), ({"RANK": "3", "WORLD_SIZE": "4"}, (3, 4)), ({"WORLD_SIZE": "1"}, (0, 1))],
)
def test_the_environment_of_torchrun_gives_rank_and_size(
    environment: dict[str, str], expected: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert announced_group() == expected
    assert speaks_for_all() == (expected[0] == 0)


def test_each_process_takes_the_gpu_of_its_local_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    for name, value in (("RANK", "3"), ("WORLD_SIZE", "4"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(dist, "init_process_group", lambda backend, timeout: asked.append(backend))
    monkeypatch.setattr(dist, "get_rank", lambda: 3)
    monkeypatch.setattr(dist, "get_world_size", lambda: 4)
    monkeypatch.setattr(dist, "destroy_process_group", lambda: asked.append("destroyed"))
    with join_group("cuda") as group:
        assert group == Group(3, 4, torch.device("cuda", 1))
    assert asked == ["nccl", "destroyed"]
