"""Runs models and baselines over the probes: each scene is rendered once and answered by all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...bench.numbers.probes import ProbedModel, ProbeReport, Score
from ...bench.numbers.result import Interval
from ...bench.numbers.statistics import summarise
from ...bench.subjects.baselines import CONSTANT, GRADIENT, baseline_subjects
from ...bench.subjects.checkpoint_options import CheckpointOptions
from ...bench.subjects.find_subjects import AS_RECORDED, find_subjects
from ...bench.subjects.stage import failures_of
from ...bench.subjects.subject import Opened, Subject, facts_of, open_subjects
from ...bench.subjects.torch_threads import torch_threads_as_before
from ...engine.errors import InputError
from ...engine.terms import HardwareDevice, Kind, OnStep
from ..scenes.scene import VERSION
from .align import Map, align_inverse
from .catalog import PROBES, Probe
from .shot import FIRST_SEED, SIZE_PX, Shot

SCENES = 6  # of each probe
Answer = Callable[[NDArray[np.uint8]], tuple[NDArray[np.float32], Kind]]  # of an image (H, W, 3) uint8 BGR


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A row of the picture strip.

    Args:
        probe: Name.
        picture: Which of the pictures of a scene, "" if there is one.
        image: (H, W, 3) uint8 BGR.
        shot: The scene, for its true depth.
        found: Aligned inverse depth (H, W) by model; a model that failed lacks.
        figures: Of this scene, by model.
    """

    probe: str
    picture: str
    image: NDArray[np.uint8]
    shot: Shot
    found: Mapping[str, Map]
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Probed:
    """A report, and the rows of its picture strip: the first scene of each probe."""

    report: ProbeReport
    rows: tuple[Row, ...]


def probe_models(
    models: Sequence[str | Path],
    *,
    count: int = SCENES,
    devices: Sequence[HardwareDevice] = ("cpu",),
    threads: int | None = None,
    checkpoint: CheckpointOptions = AS_RECORDED,
    probes: Sequence[Probe] = PROBES,
    size_px: tuple[int, int] = SIZE_PX,
    on_step: OnStep = lambda title, done, wanted: None,
) -> Probed:
    """Score models on the probes, beside two baselines; blocks. A model that fails has the reason, the others go on.

    Args:
        models: Files, as for `depthrt bench`; each runs by its first choice on each device.
        count: Scenes of each probe.
        devices, threads: As for `depthrt bench`.
        checkpoint: How checkpoints are read.
        probes: Those that are run.
        size_px: (h, w) of the pictures.
        on_step: Called at each step.

    Raises:
        InputError: There is no model, or no scene.
    """
    if not models or count < 1:
        raise InputError(f"{len(models)} models and {count} scenes found, expected one of each at least")
    with torch_threads_as_before(), ExitStack() as stack:
        on_step("loading", 0, 1)
        baselines = _baselines()
        subjects = [*_subjects(models, devices, threads, checkpoint), *baselines]
        loaded = open_subjects(subjects)
        for opened in loaded.found.values():
            stack.callback(opened.model.close)
        run = _Run({name: answer_of(opened) for name, opened in loaded.found.items()})
        run.failures |= loaded.failures
        for number, probe in enumerate(probes):
            on_step("probes", number, len(probes))
            run.go(probe, count, size_px)
        facts = {name: facts_of(opened, size_px) for name, opened in loaded.found.items()}
    found = tuple(
        ProbedModel(
            subject.name,
            facts.get(subject.name, subject.facts),
            run.scores(subject.name),
            subject in baselines,
            run.failures.get(subject.name, ""),
        )
        for subject in subjects
    )
    settings = {
        "scenes of each probe": str(count),
        "pictures": f"{size_px[0]}x{size_px[1]}",
        "first seed": str(FIRST_SEED),
        "version of the scenes": str(VERSION),
    }
    report = ProbeReport(tuple(probe.question for probe in probes), found, settings)
    return Probed(report, tuple(run.rows))


def score(figures: Sequence[float]) -> Score:
    """Return the mean of the figures of scenes, with its 95 % interval within [0, 1]."""
    mean = summarise(figures).mean
    return Score(Interval(mean.value, max(0.0, mean.low), min(1.0, mean.high)), tuple(figures))


def aligned(answer: Answer, shot: Shot) -> list[Map]:
    """Return the aligned answers to the images of a scene."""
    found = []
    for image in shot.images:
        values, kind = answer(image)
        found.append(align_inverse(values, kind, shot.inverse, shot.known))
    return found


def answer_of(opened: Opened) -> Answer:
    """Return the depth of an image by a loaded subject as a function."""

    def answer(image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], Kind]:
        depth = opened.model.infer(image)
        return depth.values, depth.kind

    return answer


class _Run:
    """The figures so far, by probe and model, and the models that failed."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers = dict(answers)
        self.failures: dict[str, str] = {}
        self.rows: list[Row] = []
        self._figures: dict[str, dict[str, list[float]]] = {}  # probe, model

    def go(self, probe: Probe, count: int, size_px: tuple[int, int]) -> None:
        """Score the models that have not failed on a probe."""
        own: dict[str, list[float]] = {name: [] for name in self.answers}
        for number, shot in enumerate(probe.shoot(count, size_px)):
            found: dict[str, list[Map]] = {}

            def answer(name: str, shot: Shot = shot, found: dict[str, list[Map]] = found) -> None:
                found[name] = aligned(self.answers[name], shot)
                own[name].append(probe.figure(found[name], shot))

            failed = failures_of({name: _bound(answer, name) for name in self.answers})
            self.failures |= failed
            self.answers = {name: one for name, one in self.answers.items() if name not in failed}
            if number == 0:
                self.rows += _rows(probe.name, shot, found, {name: own[name][0] for name in found})
        self._figures[probe.name] = own

    def scores(self, name: str) -> dict[str, Score]:
        """Return the scores of a model by probe; none after a failure."""
        if name in self.failures:
            return {}
        return {probe: score(own[name]) for probe, own in self._figures.items()}


def _bound(answer: Callable[[str], None], name: str) -> Callable[[], None]:
    return lambda: answer(name)


def _rows(probe: str, shot: Shot, found: Mapping[str, Sequence[Map]], figures: Mapping[str, float]) -> Iterator[Row]:
    for number, image in enumerate(shot.images):
        picture = "" if len(shot.images) == 1 else f"picture {number + 1} of {len(shot.images)}"
        yield Row(probe, picture, image, shot, {model: maps[number] for model, maps in found.items()}, figures)


def _subjects(
    models: Iterable[str | Path],
    devices: Sequence[HardwareDevice],
    threads: int | None,
    checkpoint: CheckpointOptions,
) -> list[Subject]:
    """Return a subject for each model and device, with unique names."""
    subjects: list[Subject] = []
    for model in models:
        for device in devices:
            found = find_subjects([model], devices=[device], threads=threads, checkpoint=checkpoint, compiled=False)
            taken = {CONSTANT, GRADIENT, *(one.name for one in subjects)}
            name = Path(model).name if len(devices) == 1 else f"{Path(model).name} {device}"
            again = next(number for number in range(1, len(taken) + 2) if _numbered(name, number) not in taken)
            subjects.append(replace(found[0], name=_numbered(name, again)))
    return subjects


def _baselines() -> list[Subject]:
    return [replace(subject, name=subject.name.removeprefix("baseline: ")) for subject in baseline_subjects()]


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name} ({number})"
