"""A network, a stream of batches and options become a trained network; safe to stop and to take up at any time."""

from __future__ import annotations

import copy
import math
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Literal

import torch
from torch import Tensor, nn

from ...engine.errors import InputError
from ...engine.system.files import make_folder, remove_unfinished
from ...export.network.make_network import Network
from ..data.batches import Batch, Source, Validation
from .group import Group, join_group
from .objective import DepthObjective
from .optimiser import Optimiser, make_average, rate_factor
from .options import TrainOptions
from .progress import Reporter
from .read_ahead import ReadAhead
from .training_state import STATE_NAME, Course, Moving, keep_checkpoint, restore_state, save_state

Ending = Literal["finished", "stopped early", "interrupted"]


@dataclass(frozen=True, slots=True)
class TrainResult:
    """How a training ended.

    Args:
        ending: All steps were done, validation stopped it, or the user did.
        step: Steps done.
        best: The best checkpoint, or None before the first validation.
        figures: Of the last validation of this call; none where it made none, nor outside a group's first process.
    """

    ending: Ending
    step: int
    best: Path | None
    figures: Mapping[str, float] = field(default_factory=dict)


def train(
    network: Network,
    source: Source,
    validation: Validation | None,
    options: TrainOptions,
    out_dir: str | Path,
    *,
    resume: bool = False,
    device: str = "cpu",
    quiet: bool = False,
) -> TrainResult:
    """Train a network in place; blocks until the end, Ctrl-C or an early stop.

    The first Ctrl-C finishes the step, saves and returns; the second raises KeyboardInterrupt at once, and what was
    saved last stays whole. Under torchrun each process takes its own batches and gradients are averaged: a step sees
    as many times the images as there are processes.

    Args:
        network: Holds the moving average's weights at the end, and is in evaluation mode.
        source: Batches by number; the run uses 0, 1, 2, ... in order.
        validation: Measured on the averaged weights; None for none.
        options: See TrainOptions.
        out_dir: For state.pt, log.jsonl and best-*.safetensors; created where missing.
        resume: Continue from out_dir's state.
        device: "cpu", "cuda"; under torchrun "cuda" becomes the process's own.
        quiet: Whether nothing is shown on stderr.

    Raises:
        InputError: out_dir holds another training, or cannot be resumed as asked; or the training diverged.
        ModelFileError: The state is damaged.
    """
    directory = Path(out_dir)
    if not resume and (directory / STATE_NAME).exists():
        raise InputError(f"{directory} holds a training already; resume it or choose another folder")
    make_folder(directory)
    torch.manual_seed(options.seed)
    torch.set_flush_denormal(True)
    objective = DepthObjective(network, options)
    with join_group(device) as group:
        objective.to(group.device).train()
        # The backward pass of torch's own attention takes a quarter of a small network's step on a CPU.
        network.set_attention("plain" if group.device.type == "cpu" else "eager")
        average = make_average(network, options.average_decay)
        moving = Moving(network, objective, Optimiser(objective, options), average, Course())
        if resume:
            restore_state(directory, moving, options, processes=group.size)
        if group.any(group.shared(moving.course.step) != moving.course.step):
            raise InputError(
                f"the processes begin after different steps (here {moving.course.step}); give all of them the same "
                f"{directory}, on a disk that they share"
            )
        if group.first:
            remove_unfinished(directory / STATE_NAME)
        with (
            _interrupts() as asked,
            _reporter(directory, moving, options, group, quiet) as reporter,
            ReadAhead(source, stride=group.size) as batches,
        ):
            if group.size > 1:
                times = f"a step sees {group.size} times the images that one process gives it"
                reporter.note(moving.course.step, f"{group.size} processes, each with batches of its own: {times}")
            return _Run(moving, batches, validation, options, directory, group, reporter).go(asked)


class _Run:
    """One training under way."""

    def __init__(
        self,
        moving: Moving,
        source: Source,
        validation: Validation | None,
        options: TrainOptions,
        directory: Path,
        group: Group,
        reporter: Reporter,
    ) -> None:
        self._moving, self._source, self._validation, self._options = moving, source, validation, options
        self._directory, self._group, self._reporter = directory, group, reporter
        self._model = group.wrap(moving.objective)
        self._figures: Mapping[str, float] = {}

    def go(self, asked: threading.Event) -> TrainResult:
        """Make steps until something ends them."""
        course, options = self._moving.course, self._options
        if course.step >= options.steps and not course.kept:
            self._judge()  # the last validation had another judge, or came to nothing
            self._save()
        ending: Ending = "stopped early" if self._is_stale() else "finished"
        while ending == "finished" and course.step < options.steps:
            self._step()
            last = course.step == options.steps
            if last or course.step % options.validate_every == 0:
                self._judge()
            if self._is_stale():
                ending = "stopped early"
            elif self._group.any(asked.is_set()) and not last:
                ending = "interrupted"
            if last or ending != "finished" or course.step % options.save_every == 0:
                self._save()
        self._group.wait()  # so that each finds the state saved
        self._moving.network.load_state_dict(self._moving.average.module.state_dict())
        self._moving.network.set_attention("eager")
        self._moving.network.eval()
        best = self._directory / course.kept[0][2] if course.kept else None
        return TrainResult(ending, course.step, best, self._figures)

    def _is_stale(self) -> bool:
        """Return whether validation has waited too long for a better score."""
        return self._options.patience is not None and self._moving.course.waits >= self._options.patience

    def _step(self) -> None:
        """Make one optimiser step and report it."""
        moving, options, group = self._moving, self._options, self._group
        began_s = time.monotonic()
        moving.optimiser.set_rate(rate_factor(moving.course.step, options))
        sums: dict[str, float] = {}
        images = 0
        for micro in range(options.accumulate):
            index = (moving.course.step * options.accumulate + micro) * group.size + group.rank
            batch = self._source.batch(index).to(group.device)
            with group.held_back(self._model, micro < options.accumulate - 1):
                terms = self._terms(batch)
                (sum(terms.values(), torch.zeros((), device=group.device)) / options.accumulate).backward()
            for name, term in terms.items():
                sums[name] = sums.get(name, 0.0) + float(term.detach()) / options.accumulate
            images += len(batch.images)
        norm = float(nn.utils.clip_grad_norm_(moving.objective.parameters(), options.clip_norm))
        if not math.isfinite(norm):
            raise InputError(
                f"the gradient is not finite at step {moving.course.step + 1}: the training diverged; start "
                "again with a lower learning_rate"
            )
        moving.optimiser.step()
        moving.course.step += 1
        moving.average.update_parameters(moving.network)
        sums = group.mean(sums)
        figures = {"loss": sum(sums.values()), **sums, "grad_norm": norm}
        rate = max(group["lr"] for group in moving.optimiser.groups)
        speed = images * group.size / (time.monotonic() - began_s)
        self._reporter.report("step", moving.course.step, {**figures, "rate": rate, "images_per_s": speed})

    def _terms(self, batch: Batch) -> dict[str, Tensor]:
        """Return the parts of the loss, each with its weight."""
        with torch.autocast(self._group.device.type, torch.bfloat16, enabled=self._options.bf16):
            answer = self._model(batch.normalised())
        return self._moving.objective.terms(answer.float(), batch)

    def _judge(self) -> None:
        """Validate; where that cannot be, what was learnt is saved, to resume with a judge that there is."""
        try:
            self._validate()
        except InputError:
            self._save()
            raise

    def _validate(self) -> None:
        """Measure the averaged weights, on the first process of the group, and keep them if they are good."""
        if self._validation is None:
            return
        course = self._moving.course
        if self._group.first:
            began_s = time.monotonic()
            averaged = copy.deepcopy(self._moving.network).eval()
            averaged.load_state_dict(self._moving.average.module.state_dict())
            with torch.inference_mode():
                self._figures = dict(self._validation.measure(averaged))
            keep_checkpoint(self._directory, self._moving, self._figures, self._options, averaged)
            took = {"validation_s": time.monotonic() - began_s}
            self._reporter.report("validation", course.step, {**self._figures, **took})
        course.waits = self._group.shared(course.waits)

    def _save(self) -> None:
        if self._group.first:
            save_state(self._directory, self._moving, self._options, processes=self._group.size)


def _reporter(directory: Path, moving: Moving, options: TrainOptions, group: Group, quiet: bool) -> Reporter:
    return Reporter(
        directory,
        steps=options.steps,
        start=moving.course.step,
        tensorboard=options.tensorboard,
        writes=group.first,
        shows=group.first and not quiet,
    )


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Give an event that the first Ctrl-C or SIGTERM sets; the second one interrupts as usual."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked  # Python delivers signals to the main thread alone
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}

    def ask(number: int, frame: FrameType | None) -> None:
        asked.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    for number in numbers:
        signal.signal(number, ask)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
