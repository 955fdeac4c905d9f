"""The state file and the best checkpoints: what survives a crash, a full disk or damage, and what is refused."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hostile_values import HOSTILE
from random_checkpoint import TINY, random_network
from small_disk import files_of_at_most
from tiny_training import QUICK, Scores, assert_same, losses, run, weights

from depthrt.engine.errors import InputError, ModelFileError
from depthrt.export.network.network import Network
from depthrt.finetune.training.checkpoints import Course
from depthrt.finetune.training.log import LOG_NAME
from depthrt.finetune.training.objective import DepthObjective
from depthrt.finetune.training.optimiser import MovingAverage, Optimiser
from depthrt.finetune.training.training_state import STATE_NAME, TrainingState, load_average, restore_state


@pytest.mark.filterwarnings("ignore:for .* copying from a non-meta parameter:UserWarning")
def test_a_restored_average_stays_on_the_device_that_trains(tmp_path: Path) -> None:
    run(tmp_path, replace(QUICK, steps=1))
    network = random_network(TINY)
    objective = DepthObjective(network, QUICK)
    state = TrainingState(network, objective, Optimiser(objective, QUICK), MovingAverage(network, 0.9), Course())
    averaged = state.average.module.state_dict()
    restore_state(tmp_path, state, QUICK, processes=1)
    found = state.average.module.state_dict()
    assert {name: value.data_ptr() for name, value in found.items()} == {
        name: value.data_ptr() for name, value in averaged.items()
    }
    assert_same(found, weights(tmp_path, "average"))
    far = copy.deepcopy(network).to("meta")
    state.average = MovingAverage(far, 0.9)
    restore_state(tmp_path, state, QUICK, processes=1)
    assert {value.device.type for value in state.average.module.state_dict().values()} == {"meta"}
    state.average.follow(far)
    assert state.average.count == 3  # as many as without a stop: it begins at 1


def test_what_a_killed_process_was_writing_is_removed_on_resuming(tmp_path: Path) -> None:
    run(tmp_path, replace(QUICK, steps=1))
    cut, other = tmp_path / ".state.0123abcd.pt", tmp_path / ".state.mine.pt"
    cut.write_bytes(b"PK")
    other.write_bytes(b"PK")
    run(tmp_path, replace(QUICK, steps=2), resume=True)
    assert other.is_file() and not cut.is_file()


def test_a_full_disk_is_one_line_and_leaves_the_last_state_whole(tmp_path: Path) -> None:
    run(tmp_path, replace(QUICK, steps=1))
    whole = (tmp_path / STATE_NAME).read_bytes()
    message = r".*state\.pt cannot be written \(.+\); check the disk and its rights"
    with files_of_at_most(len(whole) // 2), pytest.raises(InputError, match=message) as caught:
        run(tmp_path, replace(QUICK, steps=2), resume=True)
    assert "\n" not in str(caught.value)
    assert (tmp_path / STATE_NAME).read_bytes() == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", LOG_NAME, STATE_NAME]


def test_a_run_cannot_become_another_run_but_may_become_longer(tmp_path: Path) -> None:
    run(tmp_path, replace(QUICK, steps=2))
    with pytest.raises(InputError, match=r"learning_rate is 0\.1 and was 0\.002 when the run began"):
        run(tmp_path, replace(QUICK, learning_rate=0.1), resume=True)
    assert run(tmp_path, replace(QUICK, steps=3), resume=True).step == 3


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_a_damaged_state_is_refused_in_one_line(tmp_path: Path, damage: bytes | None) -> None:
    run(tmp_path, replace(QUICK, steps=1))
    path = tmp_path / STATE_NAME
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    with pytest.raises(ModelFileError, match="cannot be read") as caught:
        run(tmp_path, resume=True)
    assert "\n" not in str(caught.value)


def test_the_state_of_another_network_is_refused_in_one_line(tmp_path: Path) -> None:
    run(tmp_path, replace(QUICK, steps=1))
    other = random_network(replace(TINY, hidden=64))
    with pytest.raises(ModelFileError, match="is of another network") as caught:
        run(tmp_path, network=other, resume=True)
    assert "\n" not in str(caught.value)


def test_an_empty_folder_cannot_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"state\.pt is missing, so nothing can be resumed; start a new run"):
        run(tmp_path, resume=True)


def test_a_training_with_numbers_of_numpy_can_be_resumed(tmp_path: Path) -> None:
    options = replace(QUICK, steps=np.int64(1), learning_rate=np.float64(1e-3), weight_decay=np.float32(0.5))  # type: ignore[arg-type]
    run(tmp_path, options)
    run(tmp_path, replace(options, steps=2), resume=True)
    assert len(losses(tmp_path)) == 2


def test_a_best_checkpoint_that_a_crash_left_without_its_file_is_forgotten(tmp_path: Path) -> None:
    best = run(tmp_path, validation=Scores([1.0] * 9)).best
    assert best is not None
    best.unlink()
    result = run(tmp_path, replace(QUICK, steps=QUICK.steps + 1), validation=Scores([2.0] * 9), resume=True)
    assert result.best is not None and result.best.is_file()


def test_another_judge_forgets_the_scores_and_keeps_the_files(tmp_path: Path) -> None:
    class Two(Scores):
        def measure(self, network: Network) -> Mapping[str, float]:
            return {**super().measure(network), "other": 9.0}

    options = replace(QUICK, steps=2, validate_every=2, keep_best=1)
    first = run(tmp_path, options, validation=Two([0.1])).best
    second = run(tmp_path, replace(options, steps=4, judge="other"), validation=Two([0.5]), resume=True).best
    assert first is not None and first.is_file()
    assert second == tmp_path / "best-0000004.safetensors"


def test_averaged_weights_are_loaded_with_their_step(tmp_path: Path) -> None:
    network = random_network(TINY, seed=1)
    with pytest.raises(InputError, match=r"state\.pt is missing; give the folder of a training"):
        load_average(tmp_path, network)
    run(tmp_path, replace(QUICK, steps=3))
    assert load_average(tmp_path, network) == 3
    assert_same(network.state_dict(), weights(tmp_path, "average"))
    with pytest.raises(ModelFileError, match="is of another network") as caught:
        load_average(tmp_path, random_network(replace(TINY, hidden=64)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("found", [{"format": 6}, {}, [1]])
def test_a_state_of_another_format_is_refused_in_one_line(tmp_path: Path, found: object) -> None:
    torch.save(found, tmp_path / STATE_NAME)
    message = r"state\.pt is not a training state of format 7; resume with the depthrt that wrote it$"
    with pytest.raises(ModelFileError, match=message):
        run(tmp_path, resume=True)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A state of one step, with a checkpoint of an infinite score."""
    folder = tmp_path_factory.mktemp("saved")
    run(folder, replace(QUICK, steps=2, validate_every=1), validation=Scores([math.nan, 0.5]))
    state: dict[str, Any] = torch.load(folder / STATE_NAME, weights_only=True)
    return state


def refusal_of(folder: Path, state: dict[str, Any]) -> str:
    """Return the line by which a state is refused."""
    torch.save(state, folder / STATE_NAME)
    with pytest.raises(ModelFileError) as caught:
        run(folder, resume=True)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("part", ["network", "optimiser", "average", "rng", "options", "course", "processes"])
def test_a_state_without_one_of_its_parts_is_refused(tmp_path: Path, saved: dict[str, Any], part: str) -> None:
    less = {name: value for name, value in saved.items() if name != part}
    assert re.search(rf"state\.pt\.{part} is (missing|null)", refusal_of(tmp_path, less))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lens": 1}, r"state\.pt\.lens is an unknown key; take an older copy or start again"),
        ({"processes": 0}, r"state\.pt\.processes is 0, expected a whole number from 1 to"),
        ({"network": 5}, r"state\.pt\.network is missing or is not what torch saved"),
        ({"options": {}}, r"state\.pt\.options\.accumulate is missing"),
        (
            {"course": {"step": -1, "kept": None, "waits": 0}},
            r"course\.step is -1, expected a whole number from 0 to",
        ),
        ({"course": {"step": 1, "kept": 7, "waits": 0}}, r"course\.kept is 7, expected a list or null"),
        (
            {"course": {"step": 1, "kept": [(0.5, 1, "../../thesis.txt")], "waits": 0}},
            r"course\.kept\[0\]\[2\] is '../../thesis\.txt', expected text such as best-0000500\.safetensors",
        ),
        (
            {"course": {"step": 1, "kept": [(math.nan, 1, "best-0000001.safetensors")], "waits": 0}},
            r"kept\[0\]\[0\] is nan",
        ),
        ({"rng": torch.zeros(3)}, r"state\.pt cannot be restored \(.*\); take an older copy or start again"),
        ({"optimiser": []}, r"state\.pt cannot be restored \(.*\); take an older copy or start again"),
        ({"optimiser": [{"state": {}, "param_groups": []}]}, r"state\.pt cannot be restored"),
        ({"network": {"a": 1}}, r"state\.pt is of another network"),
    ],
)
def test_a_state_with_a_wrong_part_is_refused_by_its_name(
    tmp_path: Path, saved: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    assert re.search(message, refusal_of(tmp_path, {**saved, **change}))


@pytest.mark.parametrize("name", ["step", "kept", "waits"])
def test_no_part_of_the_course_takes_a_hostile_value(tmp_path: Path, saved: dict[str, Any], name: str) -> None:
    legal = {"step": (0, 2**31), "waits": (0, 2**31), "kept": (None, [])}[name]
    for value in HOSTILE:
        if not any(type(value) is type(other) and value == other for other in legal):
            assert f"state.pt.course.{name}" in refusal_of(
                tmp_path, {**saved, "course": {**saved["course"], name: value}}
            )


def test_an_infinite_score_survives_saving(tmp_path: Path, saved: dict[str, Any]) -> None:
    assert [entry[0] for entry in saved["course"]["kept"]] == [0.5, math.inf]
    torch.save(saved, tmp_path / STATE_NAME)
    for *_, name in saved["course"]["kept"]:
        (tmp_path / name).touch()
    network = random_network(TINY)
    options = replace(QUICK, steps=2, validate_every=1)
    objective = DepthObjective(network, options)
    state = TrainingState(network, objective, Optimiser(objective, options), MovingAverage(network, 0.9), Course())
    restore_state(tmp_path, state, options, processes=1)
    assert state.course == Course(2, [tuple(entry) for entry in saved["course"]["kept"]], 0)
