"""The table of probes, and a page with the table, what each figure is, and the picture strip."""

from __future__ import annotations

import base64
from pathlib import Path

from ...engine.system.files import atomic_path
from ..numbers.printable import printable
from ..numbers.probes import ProbedModel, ProbeReport
from ..numbers.wording import ABSENT
from .tables import Table
from .template import render

TEMPLATE = "probes.html.j2"


def probes_table(report: ProbeReport) -> Table:
    """Return the scores, a row for each probe and a column for each model."""
    names = [model.name for model in report.models]
    rows = tuple(
        (question.name, question.asks, question.direction, *(_cell(model, question.name) for model in report.models))
        for question in report.probes
    )
    scenes = report.settings.get("scenes of each probe", "")
    note = (
        f"Means over {scenes} scenes, with 95 % intervals; all figures are from 0 to 1. The baselines see no image: a "
        "constant is the worst of each figure, and the gradient comes nearer from top to bottom."
    )
    columns = ("probe", "asks for", "better", *names)
    return Table("Probes: the known failures of depth networks", columns, rows, note, words=("asks for", "better"))


def write_probes_page(path: str | Path, report: ProbeReport, strip_png: bytes) -> None:
    """Write the page, whole or not at all.

    Args:
        path: The file.
        report: Of any run.
        strip_png: The picture strip.

    Raises:
        BackendUnavailable: jinja2 is not installed.
        InputError: The folder is missing or the disk refuses.
    """
    report = printable(report)
    strip = base64.b64encode(strip_png).decode("ascii")
    page = render(TEMPLATE, report=report, scores=probes_table(report), strip=strip)
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _cell(model: ProbedModel, probe: str) -> str:
    score = model.scores.get(probe)
    if score is None:
        return "failed" if model.failure else ABSENT
    mean = score.mean
    return f"{mean.value:.2f}" if model.baseline else f"{mean.value:.2f} ({mean.low:.2f}–{mean.high:.2f})"
