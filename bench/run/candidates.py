"""Candidates to run one model file: each is tried in a fresh process, then all are measured in turns."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import BackendUnavailable
from ...engine.images.read import read_image
from ...engine.model.depth_model import load
from ...engine.runners.choice import Choice
from ...engine.terms import OnStep
from ..drift.drift_meter import DriftMeter
from ..latency.turns import Rounds, measure_latency
from ..machine.cold_start import measure_cold_start
from ..numbers.result import ColdStart, Drift, Interval, Latency
from ..numbers.statistics import compare_medians
from ..numbers.wording import SMALLEST_SHARE
from ..subjects.stage import failures_of
from ..subjects.subject import Opened, Subject
from .images import choose_timed


@dataclass(frozen=True, slots=True)
class Candidate:
    """One choice and its figures.

    Args:
        choice: A way to run the file.
        cold: Of one fresh process, which may compile first; None if that failed.
        latency: From image array to depth array; None if it was not measured.
        speed: How many times as fast as the base, turn by turn; None without latency.
        drift: From the reference; None if it was not measured.
        failure: Why figures are missing or do not count; "" if nothing failed.
    """

    choice: Choice
    cold: ColdStart | None = None
    latency: Latency | None = None
    speed: Interval | None = None
    drift: Drift | None = None
    failure: str = ""

    def within(self, budget: float) -> bool:
        """Whether it works within a drift budget; rounding in float32 is within every budget."""
        if self.failure or self.drift is None or self.speed is None:
            return False
        return self.drift.mean <= (max(budget, SMALLEST_SHARE) if self.choice.precision == "fp32" else budget)


class Candidates:
    """Opens and measures choices for one file; a context manager that closes them all.

    Args:
        path: The model file.
        images: Files. Drift takes all of them, times a few.
        reference: Drift is measured against it.
        on_step: Called at each step.
    """

    def __init__(self, path: Path, images: Sequence[Path], *, reference: Choice, on_step: OnStep) -> None:
        self.path, self.images, self.reference, self.on_step = path, images, reference, on_step
        self._found: dict[Choice, Candidate] = {}
        self._opened: dict[Choice, Opened] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Candidates:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self, choices: Iterable[Choice]) -> list[Candidate]:
        """Try each choice in a fresh process, so that a crash cannot end this process."""
        image = read_image(self.images[0])
        wanted = [choice for choice in choices if choice not in self._found]
        for number, choice in enumerate(wanted):
            self.on_step("trying each in a fresh process", number, len(wanted))
            self._found[choice] = Candidate(choice)
            self._attempt(choice, partial(self._start, choice, image))
        return [self._found[choice] for choice in wanted]

    def measure(self, choices: Sequence[Choice], rounds: Rounds, *, base: Choice) -> list[Candidate]:
        """Measure drift, then times in turns, of the choices that started.

        Args:
            choices: Started before.
            rounds: Of the times.
            base: Speeds are against it, or against the reference if it fails.

        Returns:
            All choices in order, failed ones included.
        """
        self._open([self.reference, *choices])
        self._measure_drift(choices)
        self._time(self._left(choices), rounds)
        against = self._found[base].latency or self._found[self.reference].latency
        for choice in self._left(choices):
            found = self._found[choice]
            if found.latency and against:
                samples = found.latency.samples_ms, against.samples_ms
                speed = compare_medians(*samples, per_round=rounds.calls, paired=True)
                self._found[choice] = replace(found, speed=speed)
        return [self._found[choice] for choice in choices]

    def subject(self, choice: Choice) -> Subject:
        """Return the subject of a choice."""
        return Subject(
            str(choice),
            partial(load, self.path, device="cpu", threads=choice.threads, choice=choice),
            {"file": str(self.path)},
            needs=(choice.runner, "cv2"),
        )

    def _start(self, choice: Choice, image: NDArray[np.uint8]) -> None:
        cold = measure_cold_start(self.subject(choice), image, processes=1).cold
        self._found[choice] = replace(self._found[choice], cold=cold)

    def _open(self, choices: Sequence[Choice]) -> None:
        wanted = [choice for choice in self._left(dict.fromkeys(choices)) if choice not in self._opened]
        for number, choice in enumerate(wanted):
            self.on_step("loading", number, len(wanted))
            self._attempt(choice, partial(self._open_choice, choice))
        if self.reference not in self._opened:
            why = self._found[self.reference].failure
            raise BackendUnavailable(f"the reference for drift, {self.reference}, fails here: {why}")

    def _open_choice(self, choice: Choice) -> None:
        subject = self.subject(choice)
        model = subject.open()
        self._stack.callback(model.close)
        runner = model.runner
        if (runner.name, runner.precision) != (choice.runner, choice.precision):
            # A fallback's figures would carry the name of the choice.
            raise BackendUnavailable(f"{runner.name} {runner.precision} was opened in its place")
        self._opened[choice] = Opened(subject, model, wait=_answered)

    def _measure_drift(self, choices: Sequence[Choice]) -> None:
        reference = self._opened[self.reference].model
        kind = reference.kind
        meters = {choice: DriftMeter(str(self.reference), kind=kind) for choice in self._left(choices)}
        for number, path in enumerate(self.images):
            self.on_step("drift", number, len(self.images))
            image = read_image(path)
            expected = reference.infer(image).values
            for choice in self._left(choices):
                work = partial(_add_drift, meters[choice], self._opened[choice], str(path), image, expected)
                self._attempt(choice, work)
        for choice in self._left(choices):
            drift = meters[choice].result()
            failure = f"{drift.nonfinite} values of its answers are not finite" if drift.nonfinite else ""
            self._found[choice] = replace(self._found[choice], drift=drift, failure=failure)

    def _time(self, choices: Sequence[Choice], rounds: Rounds) -> None:
        timed = measure_latency(
            [self._opened[choice] for choice in choices],
            choose_timed(self.images, None),
            Path(tempfile.gettempdir()),
            rounds,
            on_round=lambda done: self.on_step("times", done, rounds.count),
        )
        for choice in choices:
            name = self._opened[choice].subject.name
            times = timed.found.get(name)
            latency = next(iter(times.latency), None) if times else None
            self._found[choice] = replace(self._found[choice], latency=latency, failure=timed.failures.get(name, ""))

    def _left(self, choices: Iterable[Choice]) -> list[Choice]:
        """Return the choices that have not failed."""
        return [choice for choice in choices if not self._found[choice].failure]

    def _attempt(self, choice: Choice, work: Callable[[], object]) -> None:
        """Do some work of a choice; if it raises, the choice has a failure."""
        for failure in failures_of({str(choice): work}).values():
            self._found[choice] = replace(self._found[choice], failure=failure)


def _answered() -> None:
    """Wait for nothing: a runner on a CPU returns with its answer."""


def _add_drift(
    meter: DriftMeter, opened: Opened, name: str, image: NDArray[np.uint8], expected: NDArray[np.float32]
) -> None:
    meter.add(name, expected, opened.model.infer(image).values)
