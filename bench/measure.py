"""One run of the benchmark: subjects, images and ground truth become a report with its pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from ..engine.depth import Depth
from ..engine.errors import InputError
from ..engine.image import read_image
from .accuracy import AccuracyMeter, Rules
from .cold_start import measure_cold_start
from .drift import DriftMeter
from .energy import find_meter, measure_energy
from .figures import MAIN_SCOPE
from .ground_truth import GroundTruth
from .latency import Plan, failures_of, measure_latency
from .machine import describe_machine, describe_run, find_disturbances, read_state
from .pictures import tile_pictures
from .rate import RatePlan, measure_rate
from .result import Drift, Picture, Report, SubjectResult
from .subjects import Opened, Subject, facts_of, open_subjects
from .summary import speed
from .throughput import LOADS, Load, measure_builds, measure_throughput
from .true_depth import Sample
from .wording import SMALLEST_SHARE

Step = Callable[[str, int, int], None]  # what is done, steps done of it, steps wanted


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """What is measured of every subject.

    Args:
        latency: Rounds, calls and scopes; None leaves times out.
        rate: Frames that arrive at a fixed rate; None leaves them out.
        loads: Batches and streams of the throughput; empty leaves it out.
        processes: Fresh ones of the cold start; 0 leaves it out.
        builds: Times that a subject is loaded anew; 0 leaves it out.
        energy: Whether energy is measured where something counts it.
        video: Whether the images follow each other in time.
        rules: How accuracy is judged; None takes the data set's custom.
    """

    latency: Plan | None = field(default_factory=Plan)
    rate: RatePlan | None = field(default_factory=RatePlan)
    loads: tuple[Load, ...] = LOADS
    processes: int = 3
    builds: int = 0
    energy: bool = True
    video: bool = False
    rules: Rules | None = None


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

    Args:
        subjects: Names are unique.
        images: Files for times and drift.
        plan: What is measured.
        reference: Name of the subject that drift is measured against; "" for no drift.
        ground_truth: Data sets for accuracy.
        command, settings: How to remake it, for the report.
        on_step: Called as the run goes on.

    Raises:
        InputError: There is no subject or no image.
    """
    if not subjects or not images:
        raise InputError(f"{len(subjects)} subjects and {len(images)} images found, expected one of each at least")
    run = _Run(subjects, images, plan, reference, on_step)
    return run.go(ground_truth, command, settings or {})


class _Run:
    def __init__(
        self, subjects: Sequence[Subject], images: Sequence[Path], plan: BenchPlan, reference: str, on_step: Step
    ) -> None:
        self.subjects, self.images, self.plan, self.reference = subjects, images, plan, reference
        self.on_step = on_step
        self.found: dict[str, dict[str, Any]] = {one.name: {"facts": one.facts} for one in subjects}
        self.failures: dict[str, str] = {}
        self.pictures: list[Picture] = []
        self.opened: list[Opened] = []

    def go(self, ground_truth: Sequence[GroundTruth], command: str, settings: dict[str, str]) -> Measured:
        started, start_s = datetime.now(timezone.utc), monotonic()
        machine, before = describe_machine(), read_state()
        with ExitStack() as stack:
            self._open(stack)
            self._time()
            self._drift()
            for number, dataset in enumerate(ground_truth):
                self.on_step(f"accuracy on {dataset.name}", number, len(ground_truth))
                self._judge(dataset)
        self._start_cold()
        self._compare_speeds()
        warnings = [*find_disturbances(machine, before, read_state()), *self._unsteady()]
        warnings += [f"{one.name}: {note}." for one in ground_truth for note in one.notes]
        made = describe_run(command, settings, started=started, took_s=monotonic() - start_s)
        results = tuple(self._result(one) for one in self.subjects)
        report = Report(machine, made, results, self.reference, tuple(warnings))
        return Measured(report, tuple(self.pictures))

    def _open(self, stack: ExitStack) -> None:
        self.on_step("loading", 0, 1)
        opened, failed = open_subjects(self.subjects)
        self.failures |= {one.name: one.failure for one in failed}
        first = read_image(self.images[0])
        for one in opened:
            stack.callback(one.model.close)
            self.found[one.subject.name] |= {
                "facts": facts_of(one, (first.shape[0], first.shape[1])),
                "notes": one.model.runner.notes,
            }
        self.opened = opened

    def _left(self) -> list[Opened]:
        """Return the subjects that have not failed."""
        return [one for one in self.opened if one.subject.name not in self.failures]

    def _time(self) -> None:
        plan = self.plan
        image = read_image(self.images[0])
        if plan.latency is not None:
            rounds = plan.latency.rounds
            with tempfile.TemporaryDirectory() as folder:
                times = measure_latency(
                    self._left(),
                    self.images,
                    Path(folder),
                    plan.latency,
                    on_round=lambda done: self.on_step("times", done, rounds),
                )
            for name, one in times.items():
                self.found[name] |= {"latency": one.latency, "stages_ms": one.stages_ms}
            self._fail({name: one.failure for name, one in times.items() if one.failure})
        if plan.rate is not None:
            self.on_step(f"frames at {plan.rate.rate_hz:g} Hz", 0, 1)
            answered, failed = measure_rate(self._left(), self.images, plan.rate)
            for name, latency in answered.items():
                self.found[name]["latency"] = (*self.found[name].get("latency", ()), latency)
            self._fail(failed)
        if plan.loads:
            self.on_step("throughput", 0, 1)
            loaded, missing = measure_throughput(self._left(), image, loads=plan.loads)
            for name, rates in loaded.items():
                self.found[name]["throughput"] = rates
            for key, why in missing.items():
                self._note(key.split(", batch ")[0], f"no throughput for {key}: {why}")
        if plan.energy:
            self._spend()

    def _spend(self) -> None:
        """Measure energy where something counts it."""
        image = read_image(self.images[0])
        for one in self._left():
            meter = find_meter(one.model.runner.provider)
            if meter is None:
                continue

            def call(one: Opened = one) -> None:
                one.model.infer(image)
                one.wait()

            self.on_step(f"energy of {one.subject.name}", 0, 1)
            self.found[one.subject.name]["energy"] = measure_energy(call, meter)

    def _drift(self) -> None:
        """Measure each subject against the reference, image by image; answers are not kept."""
        base = next((one for one in self._left() if one.subject.name == self.reference), None)
        if base is None:
            self.reference = ""
            return
        kind = base.model.contract.kind
        others = [one for one in self._left() if one is not base]
        for one in [one for one in others if one.model.contract.kind != kind]:
            self._note(one.subject.name, f"no drift: it gives {one.model.contract.kind} depth, the reference {kind}")
            others.remove(one)
        meters = {one.subject.name: DriftMeter(self.reference, kind=kind, video=self.plan.video) for one in others}
        names = self._image_names()
        for number, path in enumerate(self.images):
            self.on_step("drift", number, len(self.images))
            image = read_image(path)
            expected = base.model.infer(image).values
            for one in others:
                meters[one.subject.name].add(names[number], expected, one.model.infer(image).values)
        for one in others:
            drift = meters[one.subject.name].result()
            self.found[one.subject.name]["drift"] = drift
            self.pictures += self._pictures(one, base, drift, names)

    def _pictures(self, one: Opened, base: Opened, drift: Drift, names: Sequence[str]) -> tuple[Picture, ...]:
        paths = dict(zip(names, self.images, strict=True))

        def answers(name: str) -> tuple[Any, Depth, Depth]:
            image = read_image(paths[name])
            return image, base.model.infer(image), one.model.infer(image)

        return tile_pictures(one.subject.name, drift, answers) if drift.mean >= SMALLEST_SHARE else ()

    def _image_names(self) -> list[str]:
        """Return short names, whole paths where two files have one name."""
        short = [path.name for path in self.images]
        return short if len(set(short)) == len(short) else [str(path) for path in self.images]

    def _judge(self, dataset: GroundTruth) -> None:
        meters = {one.subject.name: AccuracyMeter(dataset.name, self._rules(one, dataset)) for one in self._left()}
        for number, sample in enumerate(dataset):
            self.on_step(f"accuracy on {dataset.name}", number, len(dataset))

            self._fail(failures_of({one.subject.name: partial(_judge, one, sample, meters) for one in self._left()}))
        for one in self._left():
            meter = meters[one.subject.name]
            if meter.skipped:
                self._note(one.subject.name, f"{meter.skipped} images of {dataset.name} have too few measured pixels")
            accuracy = (*self.found[one.subject.name].get("accuracy", ()), meter.result())
            self.found[one.subject.name]["accuracy"] = accuracy

    def _rules(self, one: Opened, dataset: GroundTruth) -> Rules:
        """Return the user's rules, or the custom: metres as they are, all else aligned by scale and shift."""
        if self.plan.rules is not None:
            return self.plan.rules
        metres = one.model.contract.kind == "metric" and dataset.cap_m is not None
        return Rules("none" if metres else "scale-and-shift", dataset.cap_m)

    def _start_cold(self) -> None:
        """Start fresh processes, now that this one holds no model."""
        image = read_image(self.images[0])
        for one in self.subjects:
            if one.name in self.failures:
                continue
            works: dict[str, Callable[[], object]] = {}
            if self.plan.processes:
                works["cold start"] = partial(self._cold, one, image)
            if self.plan.builds:
                works["builds"] = partial(self._builds, one, image)
            for work, why in failures_of(works).items():
                self._note(one.name, f"no {work}: {why}")

    def _cold(self, subject: Subject, image: Any) -> None:  # noqa: ANN401 - an image array
        self.on_step(f"cold start of {subject.name}", 0, 1)
        cold = measure_cold_start(subject, image, processes=self.plan.processes)
        self.found[subject.name] |= {"cold": cold.cold, "vram_mib": cold.vram_mib}

    def _builds(self, subject: Subject, image: Any) -> None:  # noqa: ANN401 - an image array
        self.on_step(f"builds of {subject.name}", 0, 1)
        plan = replace(self.plan.latency or Plan(), rounds=5)
        self.found[subject.name]["builds_ms"] = measure_builds(subject, image, builds=self.plan.builds, plan=plan)

    def _unsteady(self) -> list[str]:
        """Return a sentence for each subject whose times never became steady."""
        found = []
        for name, figures in self.found.items():
            scopes = [one.scope for one in figures.get("latency", ()) if not one.steady]
            if scopes:
                found.append(f"{name} was not steady after its warm-up ({', '.join(scopes)}).")
        return found

    def _note(self, name: str, note: str) -> None:
        self.found[name]["notes"] = (*self.found[name].get("notes", ()), note)

    def _compare_speeds(self) -> None:
        """Note how fast each subject was against the reference, turn by turn."""
        latency = {
            name: one
            for name, figures in self.found.items()
            for one in figures.get("latency", ())
            if one.scope == MAIN_SCOPE and name not in self.failures
        }
        base = latency.pop(self.reference, None)
        if base is not None:
            for name, one in latency.items():
                self.found[name]["speed"] = speed(base, one)

    def _fail(self, failures: dict[str, str]) -> None:
        self.failures |= failures

    def _result(self, subject: Subject) -> SubjectResult:
        return SubjectResult(name=subject.name, **self.found[subject.name], failure=self.failures.get(subject.name, ""))


def _judge(one: Opened, sample: Sample, meters: dict[str, AccuracyMeter]) -> None:
    depth = one.model.infer(sample.image)
    meters[one.subject.name].add(sample.name, depth.values, sample.truth, kind=depth.kind)
