"""The training loop on a tiny network: it learns, repeats itself, stops, crashes and resumes without a trace."""

from __future__ import annotations

import errno
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from random_checkpoint import TINY, random_network
from tiny_training import (
    QUICK,
    Brightness,
    Planes,
    Scores,
    assert_same,
    losses,
    run,
    small_convolutions,
    weights,
)
from two_processes import Ranks

from depthrt.engine.errors import InputError
from depthrt.export.checkpoint.checkpoint import load_network, read_checkpoint
from depthrt.export.network.network import Network
from depthrt.finetune.data.batches import Batch
from depthrt.finetune.evaluation.scene_validation import SceneValidation
from depthrt.finetune.training.log import read_log
from depthrt.finetune.training.train import TrainResult, train
from depthrt.finetune.training.training_state import STATE_NAME

REPEATS = 20  # losses that two runs of one seed must share
SAME_GROUP = 1e-3  # relative: gradients are summed in another order, and three steps of AdamW amplify that


@pytest.mark.parametrize("muon_factor", [0.0, 1.0])
def test_a_network_learns_and_the_best_checkpoint_reads_back(tmp_path: Path, muon_factor: float) -> None:
    options = replace(QUICK, steps=40, validate_every=40, learning_rate=5e-3, muon_factor=muon_factor)
    result = run(tmp_path, options, validation=Brightness())
    found = losses(tmp_path)
    assert sum(found[-10:]) < 0.6 * sum(found[:10])
    assert result.ending == "finished"
    assert result.best is not None
    network = load_network(read_checkpoint(result.best))
    assert Brightness().measure(network)["error"] == pytest.approx(result.figures["error"], abs=1e-5)


def test_the_same_seed_gives_the_same_first_losses(tmp_path: Path) -> None:
    options = replace(QUICK, steps=REPEATS, bf16=True)
    for name in ("first", "second"):
        run(tmp_path / name, options, source=Planes((42, 42)))
    first, second = losses(tmp_path / "first"), losses(tmp_path / "second")
    assert len(first) == REPEATS
    assert len(set(first)) == REPEATS
    assert first == second


def test_images_too_narrow_for_bfloat16_are_refused(tmp_path: Path) -> None:
    options = replace(QUICK, bf16=True)
    with pytest.raises(InputError, match="images of 64x32 px found, expected over 32 px in width for bfloat16"):
        run(tmp_path, options, network=small_convolutions(), source=Planes((64, 32)))


@pytest.mark.parametrize("convolutional", [False, True])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path: Path, convolutional: bool) -> None:
    def network() -> Network:
        return small_convolutions() if convolutional else random_network(TINY)

    size_px = (32, 32) if convolutional else (28, 28)
    options = replace(QUICK, muon_factor=2.0) if convolutional else QUICK

    class Killed(BaseException):
        pass

    def kill(index: int) -> None:
        if index == 8:
            raise Killed

    run(tmp_path / "whole", options, network=network(), source=Planes(size_px), validation=Brightness(size_px))
    with pytest.raises(Killed):
        source = Planes(size_px, on_batch=kill)
        run(tmp_path / "killed", options, network=network(), source=source, validation=Brightness(size_px))
    assert len(losses(tmp_path / "killed")) == 8
    source = Planes(size_px)
    run(tmp_path / "killed", options, network=network(), source=source, validation=Brightness(size_px), resume=True)
    assert sorted(source.asked)[:7] == list(range(5, 12))  # from the last saved step
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    for part in ("network", "average"):
        assert_same(weights(tmp_path / "killed", part), weights(tmp_path / "whole", part))
    assert len(weights(tmp_path / "whole", "optimiser")) == (2 if convolutional else 1)  # AdamW, and Muon beside it
    assert sorted(path.name for path in (tmp_path / "killed").glob("best-*")) == sorted(
        path.name for path in (tmp_path / "whole").glob("best-*")
    )


def test_control_c_finishes_the_step_and_saves(tmp_path: Path) -> None:
    def interrupt(index: int) -> None:
        if index == 2:
            os.kill(os.getpid(), signal.SIGINT)

    result = run(tmp_path / "stopped", source=Planes(on_batch=interrupt))
    assert (result.ending, result.step) == ("interrupted", 3)
    run(tmp_path / "stopped", resume=True)
    run(tmp_path / "whole")
    assert losses(tmp_path / "stopped") == losses(tmp_path / "whole")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_control_c_aborts_and_leaves_the_last_state_whole(tmp_path: Path) -> None:
    def interrupt(index: int) -> None:
        if index == 7:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, source=Planes(on_batch=interrupt))
    assert torch.load(tmp_path / STATE_NAME, weights_only=True)["course"]["step"] == 5
    assert run(tmp_path, resume=True).ending == "finished"


@pytest.mark.parametrize("resume", [False, True])
def test_a_second_training_in_a_folder_is_refused_while_the_first_runs(resume: bool, tmp_path: Path) -> None:
    refused: list[str] = []

    def start_another(index: int) -> None:
        if index == 7:
            program = (
                "import sys; sys.path[:0] = sys.argv[2:]; from pathlib import Path; from tiny_training import run\n"
                f"run(Path(sys.argv[1]), resume={resume})"
            )
            support = str(Path(__file__).parents[2] / "support")
            ended = subprocess.run(
                [sys.executable, "-c", program, str(tmp_path), support], capture_output=True, text=True, check=False
            )
            refused.append(ended.stderr.splitlines()[-1])

    result = run(tmp_path / ".", source=Planes(on_batch=start_another))
    assert result.ending == "finished"
    assert refused == [
        f"depthrt.engine.errors.InputError: another training runs in {tmp_path}; wait for its end, or choose another "
        "folder"
    ]
    assert run(tmp_path, resume=True).ending == "finished", "a lock ends with its training"


def test_a_disk_without_locks_is_named_and_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("depthrt.finetune.training.process.sole_training.file_lock", refuse)
    assert run(tmp_path).ending == "finished"
    assert "on a disk without locks" in (tmp_path / "log.jsonl").read_text()


def test_training_stops_early_without_a_better_score(tmp_path: Path) -> None:
    options = replace(QUICK, steps=100, validate_every=1, patience=3)
    result = run(tmp_path, options, validation=Scores([0.9, 0.5, 0.6, 0.5, 0.7, 0.1]))
    assert (result.ending, result.step) == ("stopped early", 5)
    again = run(tmp_path, options, validation=Scores([]), resume=True)
    assert (again.ending, again.step, again.best) == (result.ending, result.step, result.best)
    more = run(tmp_path, replace(options, patience=4), validation=Scores([0.9]), resume=True)
    assert (more.ending, more.step) == ("stopped early", 6)


def test_accumulated_batches_weigh_as_one_large_batch(tmp_path: Path) -> None:
    class Pairs(Planes):
        def batch(self, index: int) -> Batch:
            both = [Planes.batch(self, 2 * index), Planes.batch(self, 2 * index + 1)]
            return Batch(*(torch.cat([getattr(b, name) for b in both]) for name in ("images", "depth_m", "valid")))

    options = replace(QUICK, steps=3)
    run(tmp_path / "two", replace(options, accumulate=2))
    run(tmp_path / "one", options, source=Pairs())
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=SAME_GROUP)


def test_a_metric_network_learns_metres(tmp_path: Path) -> None:
    network = random_network(TINY, max_depth_m=10.0)
    run(tmp_path, replace(QUICK, steps=40, learning_rate=5e-3), network=network)
    found = losses(tmp_path)
    assert sum(found[-10:]) < 0.6 * sum(found[:10])


def test_two_processes_train_as_one_that_accumulates(tmp_path: Path, two_processes: tuple[Path, Ranks]) -> None:
    options = replace(QUICK, steps=3)
    run(tmp_path / "one", replace(options, accumulate=2))
    two = two_processes[0] / "together"
    assert [rank["together"]["saved_step"] for rank in two_processes[1]] == [3, 3]  # neither returns before
    assert losses(two) == pytest.approx(losses(tmp_path / "one"), rel=SAME_GROUP)
    assert len(losses(two)) == 3
    (note,) = [line.text for line in read_log(two) if line.event == "note"]
    assert note == "2 processes with different batches: a step sees 2 times the images of a single process"
    with pytest.raises(InputError, match="processes is 1 and was 2 when the run began; start 2 again or a new run"):
        run(two, replace(options, steps=4), resume=True)
    assert len(losses(two)) == 3


def test_processes_without_a_folder_in_common_are_refused(two_processes: tuple[Path, Ranks]) -> None:
    folder, ranks = two_processes
    for rank, (found, step) in enumerate(zip(ranks, (1, 0), strict=True)):
        assert found["apart"]["error"] == (
            f"the processes begin after different steps (here {step}); give all of them the same "
            f"{folder / 'apart' / str(rank)}, on a disk that they share"
        )
    assert len(losses(folder / "apart" / "0")) == 1


@pytest.mark.gpu
def test_a_gpu_trains_validates_and_goes_on(tmp_path: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("torch finds no GPU")
    held_out = {"indoor": [Planes().batch(10_000)], "outdoor": [Planes().batch(10_001)]}
    options = replace(QUICK, steps=4, validate_every=2, save_every=2, judge="indoor_abs_rel", muon_factor=1.0)

    def interrupt(index: int) -> None:
        if index == 1:
            os.kill(os.getpid(), signal.SIGINT)

    def trained(source: Planes, *, resume: bool = False) -> TrainResult:
        network, validation = random_network(TINY), SceneValidation(held_out)
        return train(network, source, validation, options, tmp_path, resume=resume, device="cuda", quiet=True)

    stopped = trained(Planes(on_batch=interrupt))
    assert (stopped.ending, stopped.step) == ("interrupted", 2)
    ended = trained(Planes(), resume=True)
    assert (ended.ending, ended.step) == ("finished", 4)
    assert all(math.isfinite(value) for value in ended.figures.values())
    assert len(losses(tmp_path)) == 4


def test_validation_measures_the_averaged_weights(tmp_path: Path) -> None:
    measured: list[dict[str, torch.Tensor]] = []

    class Copies:
        def measure(self, network: Network) -> Mapping[str, float]:
            measured.append({name: value.clone() for name, value in network.state_dict().items()})
            return {"error": 1.0}

    network = small_convolutions()
    run(tmp_path, replace(QUICK, steps=4), network=network, source=Planes((32, 32)), validation=Copies())
    (found,) = measured
    assert_same(found, weights(tmp_path, "average"))
    assert_same(network.state_dict(), found)  # and the training ends with them
    assert not all(torch.equal(value, found[name]) for name, value in weights(tmp_path).items())


def test_a_training_in_a_thread_leaves_signals_alone(tmp_path: Path) -> None:
    handlers, endings = [], []

    def observe(index: int) -> None:
        handlers.append(signal.getsignal(signal.SIGINT))

    def work() -> None:
        endings.append(run(tmp_path, replace(QUICK, steps=1), source=Planes(on_batch=observe)).ending)

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert (handlers, endings) == ([before], ["finished"])


def test_a_new_run_does_not_overwrite_another(tmp_path: Path) -> None:
    run(tmp_path, replace(QUICK, steps=1))
    with pytest.raises(InputError, match="holds a training already; resume it or choose another folder"):
        run(tmp_path)


def test_a_training_that_diverges_is_stopped_before_it_spoils_the_weights(tmp_path: Path) -> None:
    class Broken(Planes):
        def batch(self, index: int) -> Batch:
            batch = super().batch(index)
            return Batch(batch.images * (torch.nan if index == 1 else 1), batch.depth_m, batch.valid)

    network = random_network(TINY)
    with pytest.raises(InputError, match="the gradient is not finite at step 2"):
        run(tmp_path, source=Broken(), network=network)
    assert all(bool(torch.isfinite(value).all()) for value in network.state_dict().values())


def test_a_judge_that_validation_does_not_give_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the validation returned error, not rmse; choose the judge among them"):
        run(tmp_path, replace(QUICK, judge="rmse"), validation=Scores([1.0]))
    step = int(torch.load(tmp_path / STATE_NAME, weights_only=True)["course"]["step"])
    assert step > 0, "the steps so far are not lost"
    result = run(tmp_path, replace(QUICK, steps=step), validation=Scores([1.0]), resume=True)
    assert result.best is not None and result.best.is_file()
    assert result.step == step and result.figures == {"error": 1.0}
    network = random_network(TINY)
    again = run(tmp_path, replace(QUICK, steps=step), validation=Scores([]), network=network, resume=True)
    assert again.best == result.best and not network.training
