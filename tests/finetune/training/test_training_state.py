"""The state file and the best checkpoints: what survives a crash, a full disk or damage, and what is refused."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from random_checkpoint import TINY, random_network
from small_disk import files_of_at_most
from tiny_training import QUICK, Planes, Scores, assert_same, losses, run, small_convolutions, weights

from depthrt.engine.errors import InputError, ModelFileError
from depthrt.export.checkpoint.checkpoint import describe_checkpoint, load_network, read_checkpoint
from depthrt.export.network.make_network import Network
from depthrt.finetune.training.objective import DepthObjective
from depthrt.finetune.training.optimiser import Optimiser, make_average
from depthrt.finetune.training.progress import LOG_NAME
from depthrt.finetune.training.training_state import (
    STATE_NAME,
    Course,
    TrainingState,
    load_average,
    restore_state,
    write_weights,
)


@pytest.mark.filterwarnings("ignore:for .* copying from a non-meta parameter:UserWarning")
def test_a_restored_average_stays_on_the_device_that_trains(tmp_path: Path) -> None:
    run(tmp_path, replace(QUICK, steps=1))
    network = random_network(TINY)
    objective = DepthObjective(network, QUICK)
    state = TrainingState(network, objective, Optimiser(objective, QUICK), make_average(network, 0.9), Course())
    averaged = state.average.module.state_dict()
    restore_state(tmp_path, state, QUICK, processes=1)
    found = state.average.module.state_dict()
    assert {name: value.data_ptr() for name, value in found.items()} == {
        name: value.data_ptr() for name, value in averaged.items()
    }
    assert_same(found, weights(tmp_path, "average"))
    far = copy.deepcopy(network).to("meta")
    state.average = make_average(far, 0.9)
    restore_state(tmp_path, state, QUICK, processes=1)
    assert {value.device.type for value in state.average.module.state_dict().values()} == {"meta"}
    state.average.update_parameters(far)
    assert int(state.average.n_averaged) == 3  # as many as without a stop: it begins at 1


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
    assert sorted(path.name for path in tmp_path.iterdir()) == [LOG_NAME, STATE_NAME]


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
    with pytest.raises(InputError, match=r"state\.pt is not there, so nothing can be resumed; start a new run"):
        run(tmp_path, resume=True)


def test_a_training_with_numbers_of_numpy_can_be_resumed(tmp_path: Path) -> None:
    options = replace(QUICK, steps=np.int64(1), learning_rate=np.float64(1e-3), weight_decay=np.float32(0.5))  # type: ignore[arg-type]
    run(tmp_path, options)
    run(tmp_path, replace(options, steps=2), resume=True)
    assert len(losses(tmp_path)) == 2


def test_the_best_checkpoints_are_kept_and_no_others(tmp_path: Path) -> None:
    options = replace(QUICK, steps=5, validate_every=1, keep_best=2)
    result = run(tmp_path, options, validation=Scores([0.9, 0.3, 0.8, 0.2, 0.5]))
    assert sorted(path.name for path in tmp_path.glob("*.safetensors")) == [
        "best-0000002.safetensors",
        "best-0000004.safetensors",
    ]
    assert result.best == tmp_path / "best-0000004.safetensors"
    assert describe_checkpoint(result.best).notes == {"step": "4", "error": "0.2"}


@pytest.mark.parametrize("score", [math.nan, -math.inf])
def test_a_score_that_is_not_finite_is_never_the_best(tmp_path: Path, score: float) -> None:
    options = replace(QUICK, steps=3, validate_every=1, keep_best=1)
    result = run(tmp_path, options, validation=Scores([score, 0.5, score]))
    assert result.best == tmp_path / "best-0000002.safetensors"
    assert list(tmp_path.glob("best-*")) == [result.best]


def test_the_best_checkpoint_of_a_network_with_norms_reads_back(tmp_path: Path) -> None:
    network = small_convolutions()
    options = replace(QUICK, steps=2)
    result = run(tmp_path, options, network=network, source=Planes((32, 32)), validation=Scores([1.0]))
    assert result.best is not None
    batch = torch.randn((1, 3, 32, 64), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.allclose(load_network(read_checkpoint(result.best))(batch), network.eval()(batch), atol=1e-4)


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
    with pytest.raises(InputError, match=r"state\.pt is not there; give the folder of a training"):
        load_average(tmp_path, network)
    run(tmp_path, replace(QUICK, steps=3))
    assert load_average(tmp_path, network) == 3
    assert_same(network.state_dict(), weights(tmp_path, "average"))
    with pytest.raises(ModelFileError, match="is of another network") as caught:
        load_average(tmp_path, random_network(replace(TINY, hidden=64)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("found", [{"format": 5}, {}, [1]])
def test_a_state_of_another_format_is_refused_in_one_line(tmp_path: Path, found: object) -> None:
    torch.save(found, tmp_path / STATE_NAME)
    message = r"state\.pt is not a training state of format 6; resume with the depthrt that wrote it$"
    with pytest.raises(ModelFileError, match=message):
        run(tmp_path, resume=True)


def test_written_weights_say_family_kind_licence_and_figures(tmp_path: Path) -> None:
    path = tmp_path / "metric.safetensors"
    write_weights(path, random_network(TINY, max_depth_m=7.5), {"step": 3, "error": 0.1234567}, licence="MIT")
    facts = describe_checkpoint(path)
    assert (facts.family, facts.kind, facts.licence) == ("depth-anything-v2", "metric", "MIT")
    assert facts.notes == {"step": "3", "error": "0.123457"}
    assert load_network(read_checkpoint(path)).max_depth_m == 7.5
