"""One run of the benchmark: subjects, images and ground truth become a report with its pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from ...engine.errors import InputError
from ...engine.images.read import read_image
from ..accuracy.ground_truth import GroundTruth
from ..accuracy.judge import judge
from ..drift.measure_drifts import Drifts, measure_drifts
from ..latency.rate import measure_rate
from ..latency.throughput import measure_builds, measure_throughput
from ..latency.turns import Plan, measure_latency, no_more
from ..machine.cold_start import measure_cold_start
from ..machine.describe import describe_machine, describe_run, find_disturbances, read_state
from ..machine.energy import find_meter, measure_energy
from ..machine.heap import keep_freed_memory
from ..numbers.figures import MAIN_SCOPE, speed
from ..numbers.printable import printable
from ..numbers.result import Picture, Report, SubjectResult
from ..numbers.wording import between
from ..subjects.subject import Opened, Subject, facts_of, failures_of, open_subjects
from .images import choose_timed, find_readable, image_facts
from .plan import BenchPlan, Step


@dataclass(frozen=True, slots=True)
class Measured:
    """A report, and the pictures of its worst tiles."""

    report: Report
    pictures: tuple[Picture, ...]


def choose_reference(subjects: Sequence[Subject], named: str | Path | None) -> str:
    """Return the name of the subject that drift is measured against.

    Args:
        subjects: In order.
        named: File of the reference; None takes the first torch eager float32 subject, else none.

    Raises:
        InputError: No subject is of the named file.
    """
    wanted = [one for one in subjects if named is None or one.facts.get("file") == str(Path(named))]
    eager = [one for one in wanted if " torch fp32 " in f"{one.name} "]
    if named is None:
        return eager[0].name if eager else ""
    if not wanted:
        raise InputError(f"reference {named} found, expected one of the files that are measured; name it among them")
    return (eager or wanted)[0].name


def run_bench(
    subjects: Sequence[Subject],
    images: Sequence[Path],
    plan: BenchPlan,
    *,
    reference: str = "",
    ground_truth: Sequence[GroundTruth] = (),
    command: str = "",
    settings: dict[str, str] | None = None,
    on_step: Step = lambda title, done, wanted: None,
) -> Measured:
    """Measure everything; blocks. A subject that fails says why in its result, and the others go on.

    From then on this process keeps the memory that it frees; see heap.py.

    Args:
        subjects: Names are unique.
        images: Files. All are for drift, a few of them for times; unreadable ones are left out with a warning.
        plan: What is measured.
        reference: Name of the subject that drift is measured against; "" for no drift.
        ground_truth: Data sets for accuracy.
        command, settings: How to remake it, for the report.
        on_step: Called as the run goes on.

    Raises:
        InputError: There is no subject, or no image that can be read.
    """
    if not subjects or not images:
        raise InputError(f"{len(subjects)} subjects and {len(images)} images found, expected one of each at least")
    made = {**(settings or {}), "freed memory": "kept" if keep_freed_memory() else "as the system has it"}
    images, left_out = find_readable(images, on_step=on_step)
    run = _Run(subjects, images, plan, reference, on_step, left_out)
    return run.go(ground_truth, command, made | image_facts(images, plan))


class _Run:
    def __init__(
        self,
        subjects: Sequence[Subject],
        images: Sequence[Path],
        plan: BenchPlan,
        reference: str,
        on_step: Step,
        warnings: Sequence[str],
    ) -> None:
        self.subjects, self.images, self.plan, self.reference = subjects, images, plan, reference
        self.on_step, self.timed = on_step, choose_timed(images, plan.latency)
        self.first = read_image(images[0])  # for what takes one image alone
        self.found: dict[str, dict[str, Any]] = {one.name: {"facts": one.facts} for one in subjects}
        self.failures: dict[str, str] = {}
        self.warnings = list(warnings)
        self.pictures: tuple[Picture, ...] = ()
        self.opened: list[Opened] = []

    def go(self, ground_truth: Sequence[GroundTruth], command: str, settings: dict[str, str]) -> Measured:
        started, start_s = datetime.now(timezone.utc), monotonic()
        machine, before = describe_machine(), read_state()
        with ExitStack() as stack:
            self._open(stack)
            self._time()
            self._spend()
            self._drift()
            for dataset in ground_truth:
                self._judge(dataset)
        self._start_cold()
        self._compare_speeds()
        warnings = [*find_disturbances(machine, before, read_state()), *self._doubts(), *self.warnings]
        made = describe_run(command, settings, started=started, took_s=monotonic() - start_s)
        report = Report(machine, made, tuple(map(self._result, self.subjects)), self.reference, tuple(warnings))
        return printable(Measured(report, self.pictures))

    def _open(self, stack: ExitStack) -> None:
        self.on_step("loading", 0, 1)
        self.opened, failed = open_subjects(self.subjects)
        self.failures |= {one.name: one.failure for one in failed}
        for one in self.opened:
            stack.callback(one.model.close)
            self.found[one.subject.name] |= {
                "facts": facts_of(one, (self.first.shape[0], self.first.shape[1])),
                "notes": one.model.runner.notes,
            }

    def _left(self) -> list[Opened]:
        return [one for one in self.opened if one.subject.name not in self.failures]

    def _time(self) -> None:
        plan = self.plan
        if plan.latency is not None:
            self._take_turns(plan.latency)
        if plan.rate is not None:
            self.on_step(f"frames at {plan.rate.rate_hz:g} Hz", 0, 1)
            answered, failed = measure_rate(self._left(), self.timed, plan.rate)
            for name, latency in answered.items():
                self._add(name, "latency", latency)
            self.failures |= failed
        if plan.loads:
            self.on_step("throughput", 0, 1)
            loaded, missing = measure_throughput(self._left(), self.first, loads=plan.loads)
            for name, rates in loaded.items():
                self.found[name]["throughput"] = rates
            for key, why in missing.items():
                self._miss(key.split(", batch ")[0], f"no throughput for {key}: {why}")

    def _take_turns(self, plan: Plan) -> None:
        narrowing = self.plan.narrowing if self.reference else None
        most = plan.rounds if narrowing is None else narrowing.most_rounds

        def on_round(done: int) -> None:
            self.on_step("times", done, plan.rounds if done <= plan.rounds else most)

        more = no_more if narrowing is None else narrowing.against(self.reference)
        with tempfile.TemporaryDirectory() as folder:
            times = measure_latency(self._left(), self.timed, Path(folder), plan, more=more, on_round=on_round)
        for name, one in times.items():
            self.found[name] |= {"latency": one.latency, "stages_ms": one.stages_ms}
        self.failures |= {name: one.failure for name, one in times.items() if one.failure}

    def _spend(self) -> None:
        works = {one.subject.name: partial(self._energy, one) for one in self._left() if self.plan.energy}
        for name, why in failures_of(works).items():
            self._miss(name, f"no energy: {why}")

    def _energy(self, one: Opened) -> None:
        """Measure energy where something counts it."""
        meter = find_meter(one.model.runner.provider)
        if meter is None:
            return

        def call() -> None:
            one.model.infer(self.first)
            one.wait()

        self.on_step(f"energy of {one.subject.name}", 0, 1)
        self.found[one.subject.name]["energy"] = measure_energy(call, meter)

    def _drift(self) -> None:
        base = next((one for one in self._left() if one.subject.name == self.reference), None)
        drifts = Drifts()
        if base is not None:
            others = [one for one in self._left() if one is not base]
            on_image = partial(self.on_step, "drift")
            drifts = measure_drifts(base, others, self.images, video=self.plan.video, on_image=on_image)
        for name, drift in drifts.found.items():
            self.found[name]["drift"] = drift
        for name, note in drifts.notes.items():
            self._miss(name, note)
        self.pictures = drifts.pictures
        self.failures |= drifts.failures
        self.warnings += drifts.warnings
        if base is None or self.reference in self.failures:
            self.reference = ""

    def _judge(self, dataset: GroundTruth) -> None:
        on_image = partial(self.on_step, f"accuracy on {dataset.name}")
        judgement = judge(self._left(), dataset, self.plan.asked, on_image=on_image)
        for name, accuracy in judgement.found.items():
            self._add(name, "accuracy", accuracy)
        for name, note in judgement.notes.items():
            self._miss(name, note)
        self.failures |= judgement.failures
        self.warnings += [*judgement.warnings, *(f"{dataset.name}: {note}." for note in dataset.notes)]

    def _start_cold(self) -> None:
        """Start fresh processes, now that this one holds no model."""
        for one in self.subjects:
            if one.name in self.failures:
                continue
            works: dict[str, Callable[[], object]] = {}
            if self.plan.processes:
                works["cold start"] = partial(self._cold, one)
            if self.plan.builds:
                works["builds"] = partial(self._builds, one)
            for work, why in failures_of(works).items():
                self._miss(one.name, f"no {work}: {why}")

    def _cold(self, subject: Subject) -> None:
        self.on_step(f"cold start of {subject.name}", 0, 1)
        cold = measure_cold_start(subject, self.first, processes=self.plan.processes)
        self.found[subject.name] |= {"cold": cold.cold, "vram_mib": cold.vram_mib}

    def _builds(self, subject: Subject) -> None:
        self.on_step(f"builds of {subject.name}", 0, 1)
        plan = replace(self.plan.latency or Plan(), rounds=5)
        self.found[subject.name]["builds_ms"] = measure_builds(subject, self.first, builds=self.plan.builds, plan=plan)

    def _doubts(self) -> Iterator[str]:
        """Give a sentence for each subject whose times never became steady or whose speed is not known well."""
        for name, figures in self.found.items():
            scopes = [one.scope for one in figures.get("latency", ()) if not one.steady]
            if scopes:
                yield f"{name} was not steady after its warm-up ({', '.join(scopes)})."
            if figures.get("speed_narrow") is False:
                times = between(figures["speed"], "")
                yield f"{name} is {times} times as fast as {self.reference}, and the last round knew no better."

    def _miss(self, name: str, why: str) -> None:
        """Tell what of a subject could not be measured: beside its figures, and before them all."""
        self._add(name, "notes", why)
        self.warnings.append(f"{name}: {why.rstrip('.')}.")

    def _add(self, name: str, key: str, value: object) -> None:
        """Add one value to what a subject has several of."""
        self.found[name][key] = (*self.found[name].get(key, ()), value)

    def _compare_speeds(self) -> None:
        """Say how fast each subject was against the reference, turn by turn."""
        latency = {
            name: one
            for name, figures in self.found.items()
            for one in figures.get("latency", ())
            if one.scope == MAIN_SCOPE and name not in self.failures
        }
        base = latency.pop(self.reference, None)
        if base is None:
            return
        for name, one in latency.items():
            self.found[name]["speed"] = found = speed(base, one)
            if self.plan.narrowing is not None:
                self.found[name]["speed_narrow"] = self.plan.narrowing.is_narrow(found)

    def _result(self, subject: Subject) -> SubjectResult:
        return SubjectResult(name=subject.name, **self.found[subject.name], failure=self.failures.get(subject.name, ""))
