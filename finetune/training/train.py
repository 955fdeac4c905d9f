"""The training loop: a network, a source of batches and options become a trained network; it can stop and resume."""

from __future__ import annotations

import copy
import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from ...engine.errors import InputError
from ...engine.system.files import make_folder, remove_unfinished
from ...export.network.attention import AttentionForm
from ...export.network.network import Network
from ..data.batches import Batch, BatchSource, Validation
from .checkpoints import UNKNOWN, Course, Origin, keep_checkpoint
from .group import Group, join_group, speaks_for_all
from .objective import DepthObjective
from .optimiser import MovingAverage, Optimiser, rate_factor
from .options import TrainOptions
from .process.denormals import flushed_denormals
from .process.interrupts import interrupts
from .process.sole_training import sole_training
from .progress import Reporter
from .read_ahead import ReadAhead
from .training_state import STATE_NAME, TrainingState, restore_state, save_state

_TOO_NARROW_PX = 32  # networks halve it to two columns and then to one

Ending = Literal["finished", "stopped early", "interrupted"]


@dataclass(frozen=True, slots=True)
class TrainResult:
    """Result of a training.

    Args:
        ending: Whether all steps were done, validation stopped the training, or the user did.
        step: Steps done.
        best: The best checkpoint; None before the first validation.
        figures: Of the last validation of this call; empty if there was none, and on all processes but the first.
    """

    ending: Ending
    step: int
    best: Path | None
    figures: Mapping[str, float] = field(default_factory=dict)


def train(
    network: Network,
    source: BatchSource,
    validation: Validation | None,
    options: TrainOptions,
    out_dir: str | Path,
    *,
    start: Network | None = None,
    origin: Origin = UNKNOWN,
    resume: bool = False,
    device: str = "cpu",
    quiet: bool = False,
) -> TrainResult:
    """Train a network in place; blocks until the last step, Ctrl-C or an early stop.

    The first Ctrl-C finishes the step, saves and returns; the second raises KeyboardInterrupt at once, and the last
    saved state stays whole. Under torchrun the processes take different batches and gradients are averaged, so a step
    sees as many times the images as there are processes.

    Args:
        network: At the end it holds the moving average's weights and is in eval mode.
        source: Batches by number; the training takes 0, 1, 2, ... in order.
        validation: Measures the averaged weights; None for no validation.
        options: See TrainOptions.
        out_dir: Folder of state.pt, log.jsonl and best-*.safetensors; created if missing.
        start: The network that distillation keeps to; moved to the device.
        origin: Recorded in every checkpoint.
        resume: Continue from the state in out_dir.
        device: "cpu" or "cuda"; under torchrun, "cuda" becomes the process's own GPU.
        quiet: Show nothing on stderr.

    Raises:
        InputError: out_dir holds another training, or one runs in it, or it cannot be resumed as asked; or the training
            diverged.
        ModelFileError: The state is damaged.
    """
    directory = Path(out_dir)
    make_folder(directory)
    torch.manual_seed(options.seed)
    objective = DepthObjective(network, options, start)
    first = speaks_for_all()  # it holds the folder for all
    with flushed_denormals(), sole_training(directory, holds=first) as locked, join_group(device) as group:
        if not resume and (directory / STATE_NAME).exists():
            raise InputError(f"{directory} holds a training already; resume it or choose another folder")
        _place(objective.train(), group.device)
        if start is not None:
            _place(start, group.device)
        network.set_attention(attention_form(group.device.type))
        average = MovingAverage(network, options.average_decay)
        state = TrainingState(network, objective, Optimiser(objective, options), average, Course())
        if resume:
            restore_state(directory, state, options, processes=group.size)
        if group.any(group.of_first(state.course.step) != state.course.step):
            raise InputError(
                f"the processes begin after different steps (here {state.course.step}); give all of them the same "
                f"{directory}, on a disk that they share"
            )
        if group.first:
            remove_unfinished(directory / STATE_NAME)
        with (
            interrupts() as interrupted,
            _reporter(directory, state, options, group, quiet) as reporter,
            ReadAhead(source, stride=group.size) as batches,
        ):
            if not locked:
                reporter.note(
                    state.course.step, f"{directory} is on a disk without locks; start no other training in it"
                )
            if group.size > 1:
                times = f"a step sees {group.size} times the images of a single process"
                reporter.note(state.course.step, f"{group.size} processes with different batches: {times}")
            return _Loop(state, batches, validation, options, directory, group, reporter, origin).run(interrupted)


def attention_form(device: str) -> AttentionForm:
    """Return how attention is computed in training on "cpu" or "cuda"."""
    # The backward pass of torch's own attention takes a quarter of a small network's step on a CPU.
    return "plain" if device == "cpu" else "eager"


def _place(module: nn.Module, device: torch.device) -> None:
    """Move a module to a device, in the memory format in which bfloat16 convolutions train up to twice as fast."""
    module.to(device)
    for parameter in module.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


class _Loop:
    """The loop over steps of one training."""

    def __init__(
        self,
        state: TrainingState,
        source: BatchSource,
        validation: Validation | None,
        options: TrainOptions,
        directory: Path,
        group: Group,
        reporter: Reporter,
        origin: Origin,
    ) -> None:
        self._state, self._source, self._validation, self._options = state, source, validation, options
        self._directory, self._group, self._reporter, self._origin = directory, group, reporter, origin
        self._model = group.wrap(state.objective)
        self._figures: Mapping[str, float] = {}

    def run(self, interrupted: threading.Event) -> TrainResult:
        """Make steps until the last one, an early stop or an interruption."""
        course, options = self._state.course, self._options
        if course.step >= options.steps and not course.kept:
            self._validate()  # the last validation failed, or had another judge
            self._save()
        ending: Ending = "stopped early" if self._is_stale() else "finished"
        while ending == "finished" and course.step < options.steps:
            self._step()
            last = course.step == options.steps
            if last or course.step % options.validate_every == 0:
                self._validate()
            if self._is_stale():
                ending = "stopped early"
            elif self._group.any(interrupted.is_set()) and not last:
                ending = "interrupted"
            if last or ending != "finished" or course.step % options.save_every == 0:
                self._save()
        self._group.wait()  # no process returns before the state is saved
        self._state.network.load_state_dict(self._state.average.module.state_dict())
        self._state.network.set_attention("eager")
        self._state.network.eval()
        best = self._directory / course.kept[0][2] if course.kept else None
        return TrainResult(ending, course.step, best, self._figures)

    def _is_stale(self) -> bool:
        """Return whether `patience` validations in a row brought no better score."""
        return self._options.patience is not None and self._state.course.waits >= self._options.patience

    def _step(self) -> None:
        """Make one optimiser step and report it."""
        state, options, group = self._state, self._options, self._group
        began_s = time.monotonic()
        state.optimiser.set_rate(rate_factor(state.course.step, options))
        sums: dict[str, float] = {}
        images = 0
        for micro in range(options.accumulate):
            index = (state.course.step * options.accumulate + micro) * group.size + group.rank
            batch = self._source.batch(index).to(group.device)
            with group.hold_back(self._model, micro < options.accumulate - 1):
                terms = self._terms(batch)
                (sum(terms.values(), torch.zeros((), device=group.device)) / options.accumulate).backward()
            for name, term in terms.items():
                sums[name] = sums.get(name, 0.0) + float(term.detach()) / options.accumulate
            images += len(batch.images)
        norm = self._clip()
        state.optimiser.step()
        state.course.step += 1
        state.average.follow(state.network)
        sums = group.mean(sums)
        figures = {"loss": sum(sums.values()), **sums, "grad_norm": norm}
        rate = max(parameters["lr"] for parameters in state.optimiser.groups)
        speed = images * group.size / (time.monotonic() - began_s)
        self._reporter.report("step", state.course.step, {**figures, "rate": rate, "images_per_s": speed})

    def _terms(self, batch: Batch) -> dict[str, Tensor]:
        """Return the terms of the loss, each times its weight."""
        device, options = self._group.device.type, self._options
        if options.bf16 and device == "cpu":
            _check_width(batch.images)
        # A cache would keep a bfloat16 copy of each weight till the end of the forward pass.
        with torch.autocast(device, torch.bfloat16, enabled=options.bf16, cache_enabled=not options.recompute):
            answer = self._model(batch.normalised())
        return self._state.objective.terms(answer.float(), batch)

    def _clip(self) -> float:
        """Clip the gradient and return its length before."""
        norm = float(nn.utils.clip_grad_norm_(self._state.objective.parameters(), self._options.clip_norm))
        if not math.isfinite(norm):
            raise InputError(
                f"the gradient is not finite at step {self._state.course.step + 1}: the training diverged; start "
                "again with a lower learning_rate"
            )
        return norm

    def _validate(self) -> None:
        """Validate; if validation fails, save the steps so far first, to resume with another judge."""
        try:
            self._measure()
        except InputError:
            self._save()
            raise

    def _measure(self) -> None:
        """Measure the averaged weights, on the first process of the group, and keep them if they are good."""
        if self._validation is None:
            return
        course = self._state.course
        if self._group.first:
            began_s = time.monotonic()
            averaged = copy.deepcopy(self._state.network).eval()
            averaged.load_state_dict(self._state.average.module.state_dict())
            with torch.inference_mode():
                self._figures = dict(self._validation.measure(averaged))
            keep_checkpoint(self._directory, course, self._figures, self._options, averaged, self._origin)
            duration = {"validation_s": time.monotonic() - began_s}
            self._reporter.report("validation", course.step, {**self._figures, **duration})
        course.waits = self._group.of_first(course.waits)

    def _save(self) -> None:
        if self._group.first:
            save_state(self._directory, self._state, self._options, processes=self._group.size)


def _check_width(images: Tensor) -> None:
    """Raise InputError if images (N, 3, h, w) are too narrow for torch's convolutions in bfloat16 on a CPU.

    Where two columns become one, they read memory that nobody wrote, and answer something else each time, or NaN.
    Source: measured, torch 2.13 on a CPU with AMX: stride 2, 3x3, more than two rows; float32 is right.
    """
    height_px, width_px = images.shape[-2:]
    if width_px <= _TOO_NARROW_PX:
        raise InputError(
            f"images of {height_px}x{width_px} px found, expected over {_TOO_NARROW_PX} px in width for bfloat16 on a "
            "CPU, where torch's convolutions are wrong below; give larger images or bf16=False (--no-bf16)"
        )


def _reporter(directory: Path, state: TrainingState, options: TrainOptions, group: Group, quiet: bool) -> Reporter:
    return Reporter(
        directory,
        steps=options.steps,
        start=state.course.step,
        tensorboard=options.tensorboard,
        writes=group.first,
        shows=group.first and not quiet,
    )
