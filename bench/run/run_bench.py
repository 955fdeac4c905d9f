"""One run of the benchmark: subjects, images and ground truth become a report and its pictures, stage by stage."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from time import monotonic

from ...engine.errors import InputError
from ...engine.images.read import read_image
from ...engine.images.readable import find_readable
from ...engine.terms import OnStep
from ..accuracy.judge import judge
from ..datasets.ground_truth import GroundTruth
from ..drift.measure_drifts import measure_drifts
from ..latency.rate import FrameRate, measure_rate
from ..latency.throughput import measure_builds, measure_throughput
from ..latency.turns import Rounds, measure_latency, no_more
from ..machine.cold_start import measure_cold_starts
from ..machine.describe import describe_machine, describe_run, find_disturbances, read_state
from ..machine.energy import measure_energies
from ..machine.heap import keep_freed_memory
from ..numbers.figures import MAIN_SCOPE, latency_in, speed
from ..numbers.printable import printable
from ..numbers.result import Picture, Report, SubjectResult
from ..numbers.wording import between
from ..subjects.stage import Figures, StageResult, measure_each
from ..subjects.subject import Opened, Subject, facts_of, open_subjects
from ..subjects.torch_threads import torch_threads_as_before
from .images import choose_timed, image_settings
from .measurement import Measurement

_BUILD_ROUNDS = 5  # of each load


@dataclass(frozen=True, slots=True)
class Measured:
    """A report, and the pictures of its worst tiles."""

    report: Report
    pictures: tuple[Picture, ...]


def choose_reference(subjects: Sequence[Subject], file: str | Path | None) -> str:
    """Return the name of the subject that drift is measured against, "" for none.

    Args:
        subjects: In order.
        file: Of the reference; None takes the first subject that torch runs eager in float32.

    Raises:
        InputError: No subject is of the file.
    """
    wanted = [subject for subject in subjects if file is None or subject.facts.get("file") == str(Path(file))]
    eager = [subject for subject in wanted if " torch fp32 " in f"{subject.name} "]
    if file is None:
        return eager[0].name if eager else ""
    if not wanted:
        raise InputError(f"reference {file} found, expected one of the files that are measured; name it among them")
    return (eager or wanted)[0].name


def run_bench(
    subjects: Sequence[Subject],
    images: Sequence[Path],
    measurement: Measurement,
    *,
    reference: str = "",
    ground_truth: Sequence[GroundTruth] = (),
    command: str = "",
    settings: Mapping[str, str] | None = None,
    on_step: OnStep = lambda title, done, wanted: None,
) -> Measured:
    """Measure everything; blocks. A subject that fails has the reason in its result, and the others go on.

    From then on this process keeps the memory that it frees; heap.py says why.

    Args:
        subjects: Names are unique.
        images: Files. Drift takes all of them, times a few; unreadable images are left out with a warning.
        measurement: What is measured.
        reference: Name of the subject that drift is measured against; "" for no drift.
        ground_truth: Data sets for accuracy.
        command, settings: How the run is made again, for the report.
        on_step: Called at each step.

    Raises:
        InputError: There is no subject, or no image that can be read.
    """
    if not subjects or not images:
        raise InputError(f"{len(subjects)} subjects and {len(images)} images found, expected one of each at least")
    freed = "kept" if keep_freed_memory() else "as the system has it"
    images, left_out = find_readable(images, on_step=on_step)
    settings = {**(settings or {}), "freed memory": freed, **image_settings(images, measurement)}
    run = _Run(subjects, images, measurement, reference, on_step)
    run.results.warnings += left_out
    with torch_threads_as_before():
        return run.go(ground_truth, command, settings)


class _Results:
    """The results of all subjects so far."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self.by_name = {subject.name: SubjectResult(subject.name, subject.facts) for subject in subjects}
        self.warnings: list[str] = []

    def add(self, stage: StageResult[Figures], place: Callable[[SubjectResult, Figures], SubjectResult]) -> None:
        """Add what a stage found; `place` puts the figures of a subject into its result."""
        for name, figures in stage.found.items():
            self.by_name[name] = place(self.by_name[name], figures)
        for name, failure in stage.failures.items():
            self.by_name[name] = replace(self.by_name[name], failure=failure)
        for name, notes in stage.notes.items():
            self.by_name[name] = replace(self.by_name[name], notes=(*self.by_name[name].notes, *notes))
            self.warnings += [f"{name}: {note.rstrip('.')}." for note in notes]
        self.warnings += stage.warnings

    def sound(self) -> Iterator[SubjectResult]:
        """Yield the results of the subjects that have not failed."""
        return (result for result in self.by_name.values() if not result.failure)

    def is_sound(self, name: str) -> bool:
        return not self.by_name[name].failure


class _Run:
    """The stages of a run, in order; each adds to the results."""

    def __init__(
        self,
        subjects: Sequence[Subject],
        images: Sequence[Path],
        measurement: Measurement,
        reference: str,
        on_step: OnStep,
    ) -> None:
        self.subjects, self.images, self.measurement, self.reference = subjects, images, measurement, reference
        self.on_step, self.timed = on_step, choose_timed(images, measurement.rounds)
        self.first = read_image(images[0])  # for stages that take one image
        self.results = _Results(subjects)
        self.opened: list[Opened] = []
        self.pictures: tuple[Picture, ...] = ()

    def go(self, ground_truth: Sequence[GroundTruth], command: str, settings: Mapping[str, str]) -> Measured:
        started, start_s = datetime.now(timezone.utc), monotonic()
        machine, before = describe_machine(), read_state()
        with ExitStack() as stack:
            self._open(stack)
            self._time()
            if self.measurement.energy:
                self._measure_energy()
            self._measure_drift()
            for dataset in ground_truth:
                self._judge(dataset)
        self._measure_starts()
        self._compare_speeds()
        disturbances = find_disturbances(machine, before, read_state())
        warnings = (*disturbances, *_doubts(self.results, self.reference), *self.results.warnings)
        made = describe_run(command, settings, started=started, took_s=monotonic() - start_s)
        report = Report(machine, made, tuple(self.results.by_name.values()), self.reference, warnings)
        return printable(Measured(report, self.pictures))

    def _left(self) -> list[Opened]:
        """Return the loaded subjects that have not failed."""
        return [opened for opened in self.opened if self.results.is_sound(opened.subject.name)]

    def _open(self, stack: ExitStack) -> None:
        self.on_step("loading", 0, 1)
        loaded = open_subjects(self.subjects)
        for opened in loaded.found.values():
            stack.callback(opened.model.close)
        self.opened = [*loaded.found.values()]
        self.results.add(loaded, self._with_facts)

    def _with_facts(self, result: SubjectResult, opened: Opened) -> SubjectResult:
        facts = facts_of(opened, (self.first.shape[0], self.first.shape[1]))
        return replace(result, facts=facts, notes=opened.model.runner.notes)

    def _time(self) -> None:
        if self.measurement.rounds is not None:
            self._take_turns(self.measurement.rounds)
        if self.measurement.frame_rate is not None:
            self._feed_frames(self.measurement.frame_rate)
        if self.measurement.loads:
            self.on_step("throughput", 0, 1)
            loaded = measure_throughput(self._left(), self.first, loads=self.measurement.loads)
            self.results.add(loaded, lambda result, rates: replace(result, throughput=rates))

    def _take_turns(self, rounds: Rounds) -> None:
        narrowing = self.measurement.narrowing if self.reference else None
        most = rounds.count if narrowing is None else narrowing.most_rounds

        def on_round(done: int) -> None:
            self.on_step("times", done, rounds.count if done <= rounds.count else most)

        more = no_more if narrowing is None else narrowing.against(self.reference)
        with tempfile.TemporaryDirectory() as folder:
            timed = measure_latency(self._left(), self.timed, Path(folder), rounds, more=more, on_round=on_round)
        self.results.add(timed, lambda result, times: replace(result, latency=times.latency, stages_ms=times.stages_ms))

    def _feed_frames(self, frame_rate: FrameRate) -> None:
        self.on_step(f"frames at {frame_rate.rate_hz:g} Hz", 0, 1)
        answered = measure_rate(self._left(), self.timed, frame_rate)
        self.results.add(answered, lambda result, latency: replace(result, latency=(*result.latency, latency)))

    def _measure_energy(self) -> None:
        spent = measure_energies(self._left(), self.first, on_subject=self._on_subject("energy"))
        self.results.add(spent, lambda result, energy: replace(result, energy=energy))

    def _measure_drift(self) -> None:
        left = self._left()
        reference = next((opened for opened in left if opened.subject.name == self.reference), None)
        if reference is not None:
            others = [opened for opened in left if opened is not reference]
            on_image = partial(self.on_step, "drift")
            drifts = measure_drifts(reference, others, self.images, video=self.measurement.video, on_image=on_image)
            self.results.add(drifts, lambda result, drift: replace(result, drift=drift))
            self.pictures = drifts.pictures
        if reference is None or not self.results.is_sound(self.reference):
            self.reference = ""

    def _judge(self, dataset: GroundTruth) -> None:
        on_image = partial(self.on_step, f"accuracy on {dataset.name}")
        judged = judge(self._left(), dataset, self.measurement.rules, on_image=on_image)
        self.results.add(judged, lambda result, accuracy: replace(result, accuracy=(*result.accuracy, accuracy)))

    def _measure_starts(self) -> None:
        """Start fresh processes and load again, now that this process holds no model."""
        left = [subject for subject in self.subjects if self.results.is_sound(subject.name)]
        if self.measurement.processes:
            on_subject = self._on_subject("cold start")
            cold = measure_cold_starts(left, self.first, processes=self.measurement.processes, on_subject=on_subject)
            self.results.add(cold, lambda result, run: replace(result, cold=run.cold, vram_mib=run.vram_mib))
        if self.measurement.builds:
            builds = measure_each({subject.name: partial(self._builds, subject) for subject in left}, figure="builds")
            self.results.add(builds, lambda result, builds_ms: replace(result, builds_ms=builds_ms))

    def _builds(self, subject: Subject) -> tuple[float, ...]:
        self._on_subject("builds")(subject.name)
        rounds = replace(self.measurement.rounds or Rounds(), count=_BUILD_ROUNDS)
        return measure_builds(subject, self.first, builds=self.measurement.builds, rounds=rounds)

    def _compare_speeds(self) -> None:
        """Add how many times as fast as the reference each subject was, turn by turn."""
        timed = {result.name: latency for result in self.results.sound() if (latency := latency_in(result, MAIN_SCOPE))}
        base = timed.pop(self.reference, None)
        if base is None:
            return
        narrowing = self.measurement.narrowing
        for name, latency in timed.items():
            found = speed(base, latency)
            narrow = None if narrowing is None else narrowing.is_narrow(found)
            self.results.by_name[name] = replace(self.results.by_name[name], speed=found, speed_narrow=narrow)

    def _on_subject(self, title: str) -> Callable[[str], None]:
        return lambda name: self.on_step(f"{title} of {name}", 0, 1)


def _doubts(results: _Results, reference: str) -> Iterator[str]:
    """Yield a sentence for each subject whose times never became steady or whose speed is not known well."""
    for result in results.by_name.values():
        scopes = [latency.scope for latency in result.latency if not latency.steady]
        if scopes:
            yield f"{result.name} was not steady after its warm-up ({', '.join(scopes)})."
        if result.speed is not None and result.speed_narrow is False:
            times = between(result.speed, "")
            yield f"{result.name} is {times} times as fast as {reference}; further rounds did not narrow this."
