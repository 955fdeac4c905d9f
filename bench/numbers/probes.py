"""The records of probes: what each asks and how it is scored, and the scores of models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ...engine.system.files import atomic_path
from .printable import printable
from .result import Interval, Machine, Made

SCHEMA = 1  # version of the JSON


@dataclass(frozen=True, slots=True)
class Question:
    """What a probe asks.

    Args:
        name: Short: "stem".
        asks: What a person looks for in the picture.
        formula: How the figure is made, one sentence.
        higher_is_better: Direction of the figure, which is from 0 to 1.
    """

    name: str
    asks: str
    formula: str
    higher_is_better: bool

    @property
    def direction(self) -> str:
        """Return "higher" or "lower", whichever is better."""
        return "higher" if self.higher_is_better else "lower"


@dataclass(frozen=True, slots=True)
class Score:
    """The figure of a model on a probe.

    Args:
        mean: Over the scenes, with its 95 % bootstrap interval.
        scenes: Figure of each scene.
    """

    mean: Interval
    scenes: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ProbedModel:
    """The scores of a model.

    Args:
        name: Unique in a report.
        facts: File, runner, precision and input size; empty for a baseline.
        scores: By the name of the probe; empty after a failure.
        baseline: Whether it sees no image: a constant, or a gradient.
        failure: Why it has no scores.
    """

    name: str
    facts: Mapping[str, str]
    scores: Mapping[str, Score]
    baseline: bool = False
    failure: str = ""


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """Models side by side on all probes.

    Args:
        probes: In the order of the table.
        models: Models, then baselines.
        settings: Scenes of each probe, their size, version and seeds.
        machine, made: Of the run; None if they are not recorded.
    """

    probes: tuple[Question, ...]
    models: tuple[ProbedModel, ...]
    settings: Mapping[str, str]
    machine: Machine | None = None
    made: Made | None = None


def write_probes(path: str | Path, report: ProbeReport) -> None:
    """Write a report as JSON, whole or not at all.

    Raises:
        InputError: The folder is missing or the disk refuses.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(to_json(report), encoding="utf-8")


def to_json(report: ProbeReport) -> str:
    """Return a report as JSON."""
    return json.dumps({"schema": SCHEMA, **asdict(printable(report))}, indent=1) + "\n"
