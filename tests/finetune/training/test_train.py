"""The training loop on a tiny network: it learns, repeats itself, stops, crashes and goes on without a trace."""

from __future__ import annotations

import copy
import errno
import json
import math
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from random_checkpoint import TINY, random_network
from torch import Tensor

from depthrt.engine.errors import BackendUnavailable, InputError, ModelFileError
from depthrt.export.checkpoint.checkpoint import describe_checkpoint, load_network, read_checkpoint
from depthrt.export.network.architecture import ConvArchitecture
from depthrt.export.network.conv_depth import ConvDepth
from depthrt.export.network.make_network import Network
from depthrt.finetune.data.batches import Batch, Source, Validation
from depthrt.finetune.evaluate import SceneValidation
from depthrt.finetune.training.objective import DepthObjective
from depthrt.finetune.training.optimiser import Optimiser, make_average, rate_factor
from depthrt.finetune.training.options import TrainOptions
from depthrt.finetune.training.progress import LOG_NAME, Reporter, read_log
from depthrt.finetune.training.read_ahead import ReadAhead
from depthrt.finetune.training.train import TrainResult, train
from depthrt.finetune.training.training_state import STATE_NAME, Course, Moving, restore_state

QUICK = TrainOptions(
    steps=12,
    learning_rate=2e-3,
    encoder_factor=0.5,
    warmup_steps=2,
    validate_every=4,
    save_every=5,
    average_decay=0.9,
    scaled_weight=0.1,
    judge="error",
    bf16=False,
)
PATHS = [
    str(Path(__file__).parent),
    str(Path(__file__).parents[2] / "support"),
]  # of what a program of the tests imports
REPEATS = 20  # losses that two runs of one seed must share
MUON_GAIN = 0.2  # of a step, so that it is as long as AdamW's. Source: Liu et al. 2025, section 2.2
SAME_GROUP = 1e-3  # gradients are added up in another order, and three steps of AdamW enlarge that


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Keep tiny products on one thread: on a busy machine two wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@dataclass(frozen=True)
class Told(Batch):
    """A batch that says when a step takes it, which is later than when it is made."""

    on_step: Callable[[], None]

    def to(self, device: torch.device) -> Batch:
        self.on_step()
        return super().to(device)


@dataclass
class Planes:
    """Tilted planes whose brightness is their inverse depth."""

    size_px: tuple[int, int] = (28, 28)
    on_batch: Callable[[int], None] = lambda index: None
    asked: list[int] = field(default_factory=list)

    def batch(self, index: int) -> Batch:
        self.asked.append(index)
        generator = torch.Generator().manual_seed(index)
        slopes = torch.rand((2, 3, 1, 1), generator=generator)
        rows, columns = (torch.linspace(0, 1, side) for side in self.size_px)
        inverse = 0.2 + slopes[:, 0] * rows[:, None] + slopes[:, 1] * columns
        grain = torch.rand((2, 3, *self.size_px), generator=generator)
        images = (0.4 * inverse[:, None] + 0.05 * grain).clamp(0, 1)
        known = torch.ones_like(inverse, dtype=torch.bool)
        return Told(images, 1 / inverse, known, on_step=lambda: self.on_batch(index))


@dataclass
class Scores:
    """A validation that gives what it is told, one after the other."""

    scores: list[float]

    def measure(self, network: Network) -> Mapping[str, float]:
        assert not network.training
        return {"error": self.scores.pop(0)}


@dataclass
class Brightness:
    """A validation that really looks at the network's answer."""

    size_px: tuple[int, int] = (28, 28)

    def measure(self, network: Network) -> Mapping[str, float]:
        batch = Planes(self.size_px).batch(10_000)
        answer = network(batch.normalised()).detach()
        return {"error": 1 - float(torch.corrcoef(torch.stack([answer.flatten(), batch.inverse().flatten()]))[0, 1])}


def run(
    out: Path,
    options: TrainOptions = QUICK,
    *,
    network: Network | None = None,
    source: Source | None = None,
    validation: Validation | None = None,
    resume: bool = False,
) -> TrainResult:
    network = network or random_network(TINY)
    return train(network, source or Planes(), validation, options, out, resume=resume, quiet=True)


def tiny_convolutions() -> ConvDepth:
    """Return a network with batch norms, always the same one."""
    torch.manual_seed(0)
    return ConvDepth(ConvArchitecture((8, 8, 32, 32), (1, 1, 1, 1), features=8), norms=True)


def losses(out: Path) -> list[float]:
    return [line["loss"] for line in read_log(out) if line["event"] == "step"]


def weights(out: Path, part: str = "network") -> dict[str, Tensor]:
    state: dict[str, dict[str, Tensor]] = torch.load(out / STATE_NAME, weights_only=True)
    return state[part]


def assert_same(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> None:
    assert list(first) == list(second)
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_the_best_checkpoint_of_a_network_with_norms_reads_back(tmp_path: Path) -> None:
    network = tiny_convolutions()
    options = replace(QUICK, steps=2)
    result = run(tmp_path, options, network=network, source=Planes((32, 32)), validation=Scores([1.0]))
    assert result.best is not None
    batch = torch.randn((1, 3, 32, 64), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        assert torch.allclose(load_network(read_checkpoint(result.best))(batch), network.eval()(batch), atol=1e-4)


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
        run(tmp_path / name, options)
    first, second = losses(tmp_path / "first"), losses(tmp_path / "second")
    assert len(first) == REPEATS
    assert len(set(first)) == REPEATS
    assert first == second


@pytest.mark.parametrize("convolutional", [False, True])
def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path: Path, convolutional: bool) -> None:
    def network() -> Network:
        return tiny_convolutions() if convolutional else random_network(TINY)

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


def test_training_stops_early_without_a_better_score(tmp_path: Path) -> None:
    options = replace(QUICK, steps=100, validate_every=1, patience=3)
    result = run(tmp_path, options, validation=Scores([0.9, 0.5, 0.6, 0.5, 0.7, 0.1]))
    assert (result.ending, result.step) == ("stopped early", 5)
    again = run(tmp_path, options, validation=Scores([]), resume=True)
    assert (again.ending, again.step, again.best) == (result.ending, result.step, result.best)
    more = run(tmp_path, replace(options, patience=4), validation=Scores([0.9]), resume=True)
    assert (more.ending, more.step) == ("stopped early", 6)


@pytest.mark.parametrize("score", [math.nan, -math.inf])
def test_a_score_that_is_no_number_is_never_the_best(tmp_path: Path, score: float) -> None:
    options = replace(QUICK, steps=3, validate_every=1, keep_best=1)
    result = run(tmp_path, options, validation=Scores([score, 0.5, score]))
    assert result.best == tmp_path / "best-0000002.safetensors"
    assert list(tmp_path.glob("best-*")) == [result.best]


def test_the_best_checkpoints_are_kept_and_no_others(tmp_path: Path) -> None:
    options = replace(QUICK, steps=5, validate_every=1, keep_best=2)
    result = run(tmp_path, options, validation=Scores([0.9, 0.3, 0.8, 0.2, 0.5]))
    assert sorted(path.name for path in tmp_path.glob("*.safetensors")) == [
        "best-0000002.safetensors",
        "best-0000004.safetensors",
    ]
    assert result.best == tmp_path / "best-0000004.safetensors"
    assert describe_checkpoint(result.best).notes == {"step": "4", "error": "0.2"}


def test_accumulated_batches_weigh_as_one_large_batch(tmp_path: Path) -> None:
    class Pairs(Planes):
        def batch(self, index: int) -> Batch:
            both = [Planes.batch(self, 2 * index), Planes.batch(self, 2 * index + 1)]
            return Batch(*(torch.cat([getattr(b, name) for b in both]) for name in ("images", "depth_m", "valid")))

    options = replace(QUICK, steps=3)
    run(tmp_path / "two", replace(options, accumulate=2))
    run(tmp_path / "one", options, source=Pairs())
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), rel=SAME_GROUP)


def test_muon_turns_kernels_alike_in_either_order_of_their_memory() -> None:
    moved = []
    for order in (torch.contiguous_format, torch.channels_last):
        network = ConvDepth(ConvArchitecture((32, 32, 64, 64), (1, 1, 1, 1), features=32), norms=True)
        kernel = network.get_parameter("pretrained.stages.2.0.conv2.convolution.weight")
        kernel.data = torch.zeros_like(kernel.data, memory_format=order)
        optimiser = Optimiser(network, replace(QUICK, muon_factor=1.0, encoder_factor=1.0))
        kernel.grad = torch.randn(kernel.shape, generator=torch.Generator().manual_seed(0))
        optimiser.step()
        moved.append(kernel.detach().flatten(1))
    first, second = moved
    assert torch.allclose(first, second, atol=0.05 * float(first.abs().max()))  # bfloat16, added in another order
    lengths = torch.linalg.svdvals(first) / (QUICK.learning_rate * MUON_GAIN * max(first.shape) ** 0.5)
    assert 0.5 < float(lengths.min()) <= float(lengths.max()) < 1.5


def test_a_metric_network_learns_metres(tmp_path: Path) -> None:
    network = random_network(TINY, max_depth_m=10.0)
    run(tmp_path, replace(QUICK, steps=40, learning_rate=5e-3), network=network)
    found = losses(tmp_path)
    assert sum(found[-10:]) < 0.6 * sum(found[:10])


def test_a_metric_network_is_not_asked_for_depth_that_it_cannot_say() -> None:
    network = random_network(TINY, max_depth_m=10.0)
    objective = DepthObjective(network, QUICK)
    generator = torch.Generator().manual_seed(0)
    depth_m, answer = (9 * torch.rand((2, 28, 28), generator=generator) + 0.5 for _ in range(2))
    images, known = torch.zeros((2, 3, 28, 28)), torch.ones_like(depth_m, dtype=torch.bool)
    known[:, :8] = False
    expected = objective.terms(answer, Batch(images, depth_m, known))["silog"]
    depth_m[:, :2], depth_m[:, 2:4], depth_m[:, 4:6], depth_m[:, 6:8] = 40.0, 0.0, torch.inf, torch.nan
    assert torch.equal(objective.terms(answer, Batch(images, depth_m, torch.ones_like(known)))["silog"], expected)


def test_a_training_without_any_loss_is_refused(tmp_path: Path) -> None:
    none = replace(QUICK, affine_weight=0.0, scaled_weight=0.0)
    with pytest.raises(InputError, match="aligned_weight are 0, expected one or more above 0; correct the options"):
        run(tmp_path, none)
    DepthObjective(random_network(TINY, max_depth_m=10.0), none)  # metres have a loss of their own


def test_batches_read_ahead_are_those_of_the_source_in_any_order() -> None:
    source = Planes()
    with ReadAhead(Planes(), stride=2) as ahead:
        for index in (0, 2, 4, 3, 20, 22):
            assert torch.equal(ahead.batch(index).images, source.batch(index).images)


def test_an_error_of_a_batch_comes_when_the_batch_is_asked_for() -> None:
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


def in_two_processes(script: Path, code: str) -> str:
    """Run code, which knows this file as `t`, under torchrun; return what it printed."""
    head = f"import sys, torch; torch.set_num_threads(1)\nsys.path[:0] = {PATHS!r}\n"
    script.write_text(f"{head}import test_train as t\n{code}")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_two_processes_train_as_one_that_accumulates(tmp_path: Path) -> None:
    options = replace(QUICK, steps=3)
    run(tmp_path / "one", replace(options, accumulate=2))
    two = tmp_path / "two"
    in_two_processes(
        tmp_path / "both.py",
        f"t.run(t.Path({str(two)!r}), t.replace(t.QUICK, steps=3))\n"
        f"assert t.weights(t.Path({str(two)!r}), 'course')['step'] == 3\n",  # in both: none returns before it is saved
    )
    assert losses(two) == pytest.approx(losses(tmp_path / "one"), rel=SAME_GROUP)
    assert len(losses(two)) == 3
    (note,) = [line["text"] for line in read_log(two) if line["event"] == "note"]
    assert note == "2 processes, each with batches of its own: a step sees 2 times the images that one process gives it"
    with pytest.raises(InputError, match="processes is 1 and was 2 when the run began; start 2 again or a new run"):
        run(two, replace(options, steps=4), resume=True)
    assert len(losses(two)) == 3


def test_processes_without_a_folder_in_common_are_refused(tmp_path: Path) -> None:
    run(tmp_path / "0", replace(QUICK, steps=1))
    state = torch.load(tmp_path / "0" / STATE_NAME, weights_only=True)
    torch.save({**state, "processes": 2}, tmp_path / "0" / STATE_NAME)
    said = in_two_processes(
        tmp_path / "both.py",
        "rank = t.os.environ['RANK']\n"
        "try:\n"
        f"    t.run(t.Path({str(tmp_path)!r}) / rank, t.replace(t.QUICK, steps=4), resume=rank == '0')\n"
        "except t.InputError as error:\n"
        "    print(error)\n",
    )
    steps = re.findall(r"the processes begin after different steps \(here (\d)\); give all of them the same", said)
    assert sorted(steps) == ["0", "1"]
    assert len(losses(tmp_path / "0")) == 1


@pytest.mark.filterwarnings("ignore:for .* copying from a non-meta parameter:UserWarning")
def test_a_restored_average_stays_on_the_device_that_trains(tmp_path: Path) -> None:
    run(tmp_path, replace(QUICK, steps=1))
    network = random_network(TINY)
    objective = DepthObjective(network, QUICK)
    moving = Moving(network, objective, Optimiser(objective, QUICK), make_average(network, 0.9), Course())
    averaged = moving.average.module.state_dict()
    restore_state(tmp_path, moving, QUICK, processes=1)
    found = moving.average.module.state_dict()
    assert {name: value.data_ptr() for name, value in found.items()} == {
        name: value.data_ptr() for name, value in averaged.items()
    }
    assert_same(found, weights(tmp_path, "average"))
    far = copy.deepcopy(network).to("meta")
    moving.average = make_average(far, 0.9)
    restore_state(tmp_path, moving, QUICK, processes=1)
    assert {value.device.type for value in moving.average.module.state_dict().values()} == {"meta"}
    moving.average.update_parameters(far)
    assert int(moving.average.n_averaged) == 3  # as many as without a stop: it begins at 1


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


def test_what_a_killed_process_was_writing_is_removed_on_resuming(tmp_path: Path) -> None:
    run(tmp_path, replace(QUICK, steps=1))
    cut, other = tmp_path / ".state.0123abcd.pt", tmp_path / ".state.mine.pt"
    cut.write_bytes(b"PK")
    other.write_bytes(b"PK")
    run(tmp_path, replace(QUICK, steps=2), resume=True)
    assert other.is_file() and not cut.is_file()


def test_a_full_disk_is_said_in_one_line_and_leaves_the_last_state_whole(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    run(tmp_path, replace(QUICK, steps=1))
    whole = (tmp_path / STATE_NAME).read_bytes()
    code = (
        "import resource, sys, torch; torch.set_num_threads(1)\n"
        f"sys.path[:0] = {PATHS!r}\n"
        "import test_train as t\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(whole) // 2},) * 2)\n"
        "try:\n"
        f"    t.run(t.Path({str(tmp_path)!r}), t.replace(t.QUICK, steps=2), resume=True)\n"
        "except t.InputError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.fullmatch(r".*state\.pt cannot be written \(.+\); check the disk and its rights\n", done.stdout)
    assert (tmp_path / STATE_NAME).read_bytes() == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == [LOG_NAME, STATE_NAME]


def test_a_log_is_shortened_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, replace(QUICK, steps=2))
    path = tmp_path / LOG_NAME
    path.write_text(path.read_text() + '{"event": "step", "st')  # a crash amid a line
    before = path.read_bytes()

    def full(self: Path, text: str, *, encoding: str) -> int:
        with self.open("w", encoding=encoding) as file:
            file.write(text[:20])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(InputError, match=r"log\.jsonl cannot be written: No space left on device"):
            run(tmp_path, replace(QUICK, steps=3), resume=True)
    assert path.read_bytes() == before
    run(tmp_path, replace(QUICK, steps=3), resume=True)
    assert [line["step"] for line in read_log(tmp_path)] == [1, 2, 3]


def test_a_new_run_does_not_overwrite_another(tmp_path: Path) -> None:
    run(tmp_path, replace(QUICK, steps=1))
    with pytest.raises(InputError, match="holds a training already; resume it or choose another folder"):
        run(tmp_path)


def test_nothing_can_be_resumed_from_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"state\.pt is not there, so nothing can be resumed; start a new run"):
        run(tmp_path, resume=True)


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
    with pytest.raises(InputError, match="the validation gives error, not rmse; choose the judge among them"):
        run(tmp_path, replace(QUICK, judge="rmse"), validation=Scores([1.0]))
    step = int(torch.load(tmp_path / STATE_NAME, weights_only=True)["course"]["step"])
    assert step > 0, "what was learnt is not lost"
    result = run(tmp_path, replace(QUICK, steps=step), validation=Scores([1.0]), resume=True)
    assert result.best is not None and result.best.is_file()
    assert result.step == step and result.figures == {"error": 1.0}
    network = random_network(TINY)
    again = run(tmp_path, replace(QUICK, steps=step), validation=Scores([]), network=network, resume=True)
    assert again.best == result.best and not network.training


def test_a_best_checkpoint_that_a_crash_left_without_its_file_is_forgotten(tmp_path: Path) -> None:
    best = run(tmp_path, validation=Scores([1.0] * 9)).best
    assert best is not None
    best.unlink()
    result = run(tmp_path, replace(QUICK, steps=QUICK.steps + 1), validation=Scores([2.0] * 9), resume=True)
    assert result.best is not None and result.best.is_file()


def test_a_log_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / LOG_NAME).mkdir()
    with pytest.raises(InputError, match=r"log\.jsonl cannot be written: Is a directory; check the disk"):
        run(tmp_path, replace(QUICK, steps=1))


def test_tensorboard_is_named_where_it_is_missing(tmp_path: Path) -> None:
    try:
        import tensorboard  # noqa: F401
    except ImportError:
        with pytest.raises(BackendUnavailable, match="pip install tensorboard, or train without it"):
            run(tmp_path, replace(QUICK, tensorboard=True))
    else:
        run(tmp_path, replace(QUICK, steps=1, tensorboard=True))
        assert list((tmp_path / "tensorboard").iterdir())


def test_the_log_is_one_json_object_a_line(tmp_path: Path) -> None:
    run(tmp_path, replace(QUICK, steps=4), validation=Scores([0.5]))
    lines = [json.loads(line) for line in (tmp_path / LOG_NAME).read_text().splitlines()]
    assert [line["event"] for line in lines] == ["step"] * 4 + ["validation"]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 4]
    assert {"loss", "affine", "scaled", "grad_norm", "rate", "images_per_s"} <= set(lines[0])
    assert lines[0]["rate"] > 0, "the first rates are small, not nothing"


def test_numbers_of_numpy_are_saved_as_plain_ones(tmp_path: Path) -> None:
    options = replace(QUICK, steps=np.int64(1), learning_rate=np.float64(1e-3), weight_decay=np.float32(0.5))  # type: ignore[arg-type]
    run(tmp_path, options)
    run(tmp_path, replace(options, steps=2), resume=True)
    assert len(losses(tmp_path)) == 2
    assert TrainOptions(clip_norm=math.inf).clip_norm == math.inf


def test_a_figure_that_is_no_number_is_null_in_the_log(tmp_path: Path) -> None:
    run(tmp_path, replace(QUICK, steps=4), validation=Scores([math.nan]))
    assert read_log(tmp_path)[-1]["error"] is None
    assert "NaN" not in (tmp_path / LOG_NAME).read_text()


@pytest.mark.parametrize(
    "foreign", ['{"epoch": 1}', "[1, 2}", '{"step": "1"}', '{"step": 7, "loss": 1}\n', "notes of mine\n2024 loss 3\n"]
)
def test_the_log_of_another_program_is_left_alone(tmp_path: Path, foreign: str) -> None:
    (tmp_path / LOG_NAME).write_text(foreign)
    with pytest.raises(InputError, match="is no log of a training; choose another folder"):
        run(tmp_path, replace(QUICK, steps=1))
    assert (tmp_path / LOG_NAME).read_text() == foreign


def test_the_time_left_is_known_where_a_step_takes_minutes(tmp_path: Path) -> None:
    reporter = Reporter(tmp_path, steps=50, start=0, tensorboard=False, writes=False, shows=True)
    now = 0.0
    reporter._bar.get_time = lambda: now
    reporter._bar.start_task(reporter._task)
    for step in range(1, 4):
        now += 120
        reporter._bar.update(reporter._task, completed=step)
    assert reporter._bar.tasks[0].time_remaining == 47 * 120


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"steps": 0}, "steps is 0, expected more than 0; correct the option"),
        ({"learning_rate": -1.0}, r"learning_rate is -1\.0, expected more than 0"),
        ({"warmup_steps": -1}, "warmup_steps is -1, expected 0 or more"),
        ({"average_decay": 1.0}, r"average_decay is 1\.0, expected 0 or more and below 1"),
        ({"steps": 10, "hold_steps": 10}, "hold_steps is 10, expected below the 10 steps"),
        ({"patience": 0}, "patience is 0, expected more than 0, or None"),
        ({"decay_power": -1.0}, r"decay_power is -1\.0, expected 0 or more"),
        ({"learning_rate": math.inf}, "learning_rate is inf, expected more than 0 and finite"),
        ({"encoder_factor": math.nan}, "encoder_factor is nan, expected 0 or more"),
        ({"steps": 2.5}, r"steps is 2\.5, expected a whole number"),
        ({"betas": (0.9, 1.0)}, r"betas is \(0\.9, 1\.0\), expected two numbers from 0 to below 1"),
        ({"betas": (0.9,)}, r"betas is \(0\.9,\), expected two"),
        ({"learning_rate": None}, "learning_rate is None, expected a number"),
        ({"betas": 0.9}, r"betas is 0\.9, expected two numbers"),
        ({"seed": 2**70}, "seed is 1180591620717411303424, expected 0 or more and below"),
        ({"silog_focus": 2.0}, r"silog_focus is 2\.0, expected 0 to 1"),
    ],
)
def test_impossible_options_are_refused(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TrainOptions(**bad)


def test_the_rate_rises_holds_and_falls() -> None:
    options = TrainOptions(steps=100, warmup_steps=10, hold_steps=50, decay_power=2.0)
    assert [rate_factor(step, options) for step in (0, 4, 9, 30, 50)] == pytest.approx([0.1, 0.5, 1, 1, 1])
    assert [rate_factor(step, options) for step in (75, 90, 100)] == pytest.approx([0.25, 0.04, 0])


def test_the_encoder_learns_at_its_own_rate_and_vectors_do_not_decay() -> None:
    network = random_network(TINY)
    options = TrainOptions(learning_rate=1e-3, encoder_factor=0.1, weight_decay=0.02)
    groups = Optimiser(DepthObjective(network, options), options).groups
    found = {id(p): (group["lr"], group["weight_decay"]) for group in groups for p in group["params"]}
    named = {name: found.get(id(parameter)) for name, parameter in network.named_parameters()}
    assert named["pretrained.blocks.0.mlp.fc1.weight"] == pytest.approx((1e-4, 0.02))
    assert named["pretrained.blocks.0.mlp.fc1.bias"] == pytest.approx((1e-4, 0))
    assert named["pretrained.pos_embed"] == pytest.approx((1e-4, 0))
    assert named["depth_head.projects.0.weight"] == pytest.approx((1e-3, 0.02))
    assert named["pretrained.mask_token"] is None
    assert [name for name, group in named.items() if group is None and "refinenet4.resConfUnit1" not in name] == [
        "pretrained.mask_token"
    ]


def test_the_average_follows_fast_at_first_and_slowly_later() -> None:
    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(network.weight)
    average = make_average(network, 0.99)
    torch.nn.init.ones_(network.weight)
    average.update_parameters(network)  # decay 2/11
    assert float(average.module.state_dict()["weight"]) == pytest.approx(9 / 11)
    average.n_averaged.fill_(10_000)
    average.update_parameters(network)  # decay 0.99
    assert float(average.module.state_dict()["weight"]) == pytest.approx(1 - 0.99 * 2 / 11)
