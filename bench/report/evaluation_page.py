"""An evaluation as one offline HTML page, with JSON beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...engine.system.files import atomic_path, make_folder, try_place
from ..numbers.evaluation import EvaluationReport
from ..numbers.evaluation_file import evaluation_type, write_evaluation
from ..numbers.printable import printable
from ..numbers.result import Picture
from .evaluation_tables import (
    figure_panels,
    flat_tables,
    headline,
    main_table,
    metric_tables,
    moved_table,
    part_tables,
    requirement_table,
    sentences,
)
from .template import need_jinja2, render, show_pictures

TEMPLATE = "evaluation.html.j2"


@dataclass(frozen=True, slots=True)
class EvaluationFiles:
    """The files of an evaluation."""

    html: Path
    json: Path


def prepare_evaluation(folder: str | Path) -> EvaluationFiles:
    """Make the folder of an evaluation if need be, and check that it can be written; call it before measuring.

    Raises:
        BackendUnavailable: A package that the report needs is not installed.
        InputError: The folder cannot be made or written.
    """
    need_jinja2()
    evaluation_type()
    make_folder(Path(folder))
    files = EvaluationFiles(Path(folder) / "report.html", Path(folder) / "report.json")
    for path in (files.html, files.json):
        try_place(path)
    return files


def write_evaluation_report(
    folder: str | Path, report: EvaluationReport, pictures: Sequence[Picture] = ()
) -> EvaluationFiles:
    """Write report.html and report.json into a folder, which is made if need be.

    Args:
        folder: Files of these names in it are replaced.
        report: The evaluation.
        pictures: Of examples, those of each model together.

    Raises:
        BackendUnavailable: A package that the report needs is not installed.
        InputError: The folder cannot be made or written.
    """
    page = evaluation_to_html(report, pictures)
    files = prepare_evaluation(folder)
    write_evaluation(files.json, report)
    with atomic_path(files.html) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return files


def evaluation_to_html(report: EvaluationReport, pictures: Sequence[Picture] = ()) -> str:
    """Return the page; it needs no network, script or other file.

    Args:
        report, pictures: As in write_evaluation_report.

    Raises:
        BackendUnavailable: jinja2 is not installed.
    """
    report, pictures = printable(report), printable(tuple(pictures))
    evaluation = report.evaluation
    shown = show_pictures(pictures)
    return render(
        TEMPLATE,
        report=report,
        evaluation=evaluation,
        headline=headline(report),
        sentences=list(sentences(report)),
        main_table=main_table(evaluation),
        requirement_table=requirement_table(report),
        moved_table=moved_table(evaluation),
        panels=list(figure_panels(evaluation)),
        flat_tables=list(flat_tables(evaluation)),
        metric_tables=list(metric_tables(evaluation)),
        part_tables=list(part_tables(evaluation)),
        pictures=shown,
        pictures_left_out=len(pictures) - len(shown),
    )
