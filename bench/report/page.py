"""A report as one offline HTML page, with JSON and Markdown beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...engine.system.files import atomic_path, make_folder, try_place
from ..numbers.figures import conditions_of
from ..numbers.printable import printable
from ..numbers.result import METRICS, Picture, Report
from ..numbers.result_file import report_type, write_result
from ..numbers.wording import ABSENT, digits
from .markdown import to_markdown
from .panels import band_rows, builds_panel, cold_panel, latency_panels, resource_panels, stage_panel, throughput_panels
from .summary import DRIFT_BUDGET, summarise_report
from .tables import (
    Table,
    accuracy_tables,
    cold_table,
    drift_table,
    latency_table,
    memory_table,
    rate_table,
    resource_table,
    stage_table,
    summary_table,
    throughput_table,
)
from .template import need_jinja2, render, show_pictures

TEMPLATE = "report.html.j2"
IMAGE_ROWS = 100  # of a table with a row for each image; the JSON has all


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """The files of a report."""

    html: Path
    json: Path
    markdown: Path


def write_report(
    folder: str | Path, report: Report, pictures: Sequence[Picture] = (), *, drift_budget: float = DRIFT_BUDGET
) -> ReportFiles:
    """Write report.html, report.json and report.md into a folder, which is made if need be.

    Args:
        folder: Files of these names in it are replaced.
        report: Of any run.
        pictures: Of the tiles with the largest drift, largest first.
        drift_budget: Largest drift of the subject that the headline may recommend.

    Raises:
        BackendUnavailable: A package that the report needs is not installed.
        InputError: The folder cannot be made or written.
    """
    report, pictures = printable(report), printable(tuple(pictures))
    page = to_html(report, pictures, drift_budget=drift_budget)
    files = prepare_folder(folder)
    write_result(files.json, report)
    for path, text in ((files.html, page), (files.markdown, to_markdown(report, drift_budget=drift_budget))):
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return files


def prepare_folder(folder: str | Path) -> ReportFiles:
    """Make the folder of a report if need be, and check that the report can be written; call it before measuring.

    Raises:
        BackendUnavailable: A package that the report needs is not installed.
        InputError: The folder cannot be made or written.
    """
    need_jinja2()
    report_type()
    folder = Path(folder)
    make_folder(folder)
    files = ReportFiles(folder / "report.html", folder / "report.json", folder / "report.md")
    for path in (files.html, files.json, files.markdown):
        try_place(path)
    return files


def to_html(report: Report, pictures: Sequence[Picture] = (), *, drift_budget: float = DRIFT_BUDGET) -> str:
    """Return the page; it needs no network, script or other file.

    Args:
        report, pictures, drift_budget: As in write_report.

    Raises:
        BackendUnavailable: jinja2 is not installed.
    """
    summary = summarise_report(report, drift_budget=drift_budget)
    shown = show_pictures(pictures)
    return render(
        TEMPLATE,
        report=report,
        summary=summary,
        summary_table=summary_table(report, summary),
        latency=list(latency_panels(report, summary)),
        latency_table=latency_table(report),
        stages=stage_panel(report, summary),
        stage_table=stage_table(report),
        throughput=list(throughput_panels(report, summary)),
        throughput_table=throughput_table(report),
        rate_table=rate_table(report),
        cold=cold_panel(report, summary),
        cold_table=cold_table(report),
        resources=list(resource_panels(report, summary)),
        resource_table=resource_table(report),
        memory_table=memory_table(report),
        builds=builds_panel(report, summary),
        bands=band_rows(report, summary),
        drift_table=drift_table(report),
        pictures=shown,
        pictures_left_out=len(pictures) - len(shown),
        accuracy=list(accuracy_tables(report)),
        per_image=list(_image_tables(report)),
    )


def _image_tables(report: Report) -> Iterator[Table]:
    """Yield a table of the accuracy of each image for each subject and data set, largest abs_rel first."""
    for subject in report.subjects:
        for accuracy in subject.accuracy:
            ordered = sorted(accuracy.images, key=lambda image: image.metrics.get("abs_rel", 0.0), reverse=True)
            rows = tuple(
                (image.image, *(digits(image.metrics[name]) if name in image.metrics else ABSENT for name in METRICS))
                for image in ordered[:IMAGE_ROWS]
            )
            left_out = len(ordered) - len(rows)
            note = f"The {left_out} images with the smallest abs_rel are in report.json." if left_out else ""
            columns = ("image", *(name.replace("delta", "δ") for name in METRICS))
            yield Table(f"{subject.name} on {conditions_of(accuracy)}", columns, rows, note)
