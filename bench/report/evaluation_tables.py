"""The tables and plots of an evaluation as text cells and SVG, and its first sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..compare.change import percent_change
from ..numbers.evaluation import (
    EVALUATED,
    FLAT_SCOPES,
    SCOPES,
    EvaluatedFigure,
    Evaluation,
    EvaluationReport,
    ModelEvaluation,
    Moved,
    State,
    scoped,
)
from ..numbers.result import METRICS, Interval
from ..numbers.wording import ABSENT, amount, between, change, digits
from .panels import Panel, Row
from .svg import axis_svg, bar_svg, fit_axis
from .tables import Table

# The first table and the plots, by heading.
MAIN: dict[str, str] = {
    "flat residual": "flat_residual",
    "plane error": "plane_error",
    "step error": "step_error",
    "picture leak": "picture_leak",
    "window depth": "window_depth",
    "drift": "drift",
    "abs_rel": "abs_rel",
    "clean abs_rel": "clean.abs_rel",
}
_CHANGES = (
    "flat_residual",
    "mirror.flat_residual",
    "art.flat_residual",
    "plane_error",
    "step_error",
    "picture_leak",
    "window_depth",
    "window.abs_rel",
    "clean.abs_rel",
    "clean_images.abs_rel",
    "abs_rel",
    "delta1",
)
PART_ROWS = 60  # of a table with a row for each part; the JSON has all


def main_table(evaluation: Evaluation) -> Table:
    """Return the main figures, a row for each model; columns that no model has are left out."""
    columns = {title: name for title, name in MAIN.items() if any(name in model.figures for model in evaluation.models)}
    rows = tuple(
        (model.name, *(_cell(model, name) for name in columns.values()), _role(evaluation, model))
        for model in evaluation.models
    )
    found = Table(_title(evaluation), ("model", *columns, ""), rows, _main_note(columns), words=("",))
    return found if any(row[-1] for row in rows) else _without_last(found)


def headline(report: EvaluationReport) -> str:
    """Return the most important finding, one sentence."""
    evaluation = report.evaluation
    lines = [_finding(evaluation, model) for model in evaluation.judged() if model.figures]
    if not lines:
        failed = [model for model in evaluation.models if model.failure]
        return "No model could be judged." if failed else "Only the starting network and baselines were judged."
    return lines[0]


def sentences(report: EvaluationReport) -> Iterator[str]:
    """Yield what follows the headline: the other models, and the requirements that do not hold clearly."""
    evaluation = report.evaluation
    for model in evaluation.judged()[1:]:
        if model.figures:
            yield _finding(evaluation, model)
    if report.requirements:
        yield _outcome(report)
    for model in evaluation.models:
        if model.failure:
            yield f"{model.name} failed: {model.failure.rstrip('.')}."


def moved_table(evaluation: Evaluation) -> Table:
    """Return how the main figures changed against the starting network."""
    rows = tuple(
        (model.name, EVALUATED[name].title, *_moved_cells(EVALUATED[name], model.moved[name]))
        for model in evaluation.judged()
        for name in _CHANGES
        if name in model.moved
    )
    columns = ("model", "figure", "start", "model now", "change", "95 %", "better")
    note = "Over the images that both have, drawn in pairs. A change is clear if its interval excludes 0."
    return Table(f"Changes against {evaluation.against}", columns, rows, note, words=("figure", "better"))


def requirement_table(report: EvaluationReport) -> Table:
    """Return every requirement with its outcome."""
    rows = tuple((one.model, one.text, one.state, one.reason) for one in report.requirements)
    return Table(
        "Requirements",
        ("model", "requirement", "outcome", "figures"),
        rows,
        words=("requirement", "outcome", "figures"),
    )


def flat_tables(evaluation: Evaluation) -> Iterator[Table]:
    """Yield the figures of flat things with their intervals: of all, of mirrors and of art."""
    names = ("flat_residual", "plane_error", "step_error", "picture_leak")
    for scope, of in FLAT_SCOPES.items():
        rows = tuple(
            (model.name, *(_with_interval(model.figures.get(scoped(scope, name))) for name in names))
            for model in evaluation.models
            if scoped(scope, "flat_residual") in model.figures
        )
        if rows:
            wanted = (scope,) if scope else FLAT_SCOPES
            count = sum(count for region, count in evaluation.parts.items() if region in wanted)
            yield Table(
                f"{of.capitalize()}, {count} parts", ("model", *(EVALUATED[name].title for name in names)), rows
            )


def metric_tables(evaluation: Evaluation) -> Iterator[Table]:
    """Yield the nine metrics for each scope of pixels."""
    for scope, of in SCOPES.items():
        rows = tuple(
            (
                model.name,
                *(_cell(model, scoped(scope, metric)) for metric in METRICS),
                _images(model, scope),
                model.alignment,
            )
            for model in evaluation.models
            if scoped(scope, "abs_rel") in model.figures
        )
        if rows:
            columns = ("model", *(metric.replace("delta", "δ") for metric in METRICS), "images", "alignment")
            yield Table(of.capitalize(), columns, rows, words=("alignment",))


def part_tables(evaluation: Evaluation) -> Iterator[Table]:
    """Yield the parts of each model, the least flat first."""
    names = ("flat_residual", "plane_error", "step_error", "picture_leak", "window_depth")
    columns = ("image", "region", "place", *(EVALUATED[name].title for name in names))
    for model in evaluation.models:
        if model.name in evaluation.baselines or not model.parts:
            continue
        ordered = sorted(model.parts, key=lambda part: part.figures.get("flat_residual", -1.0), reverse=True)
        rows = tuple(
            (
                part.image,
                part.region,
                f"{part.width_px}x{part.height_px} at {part.left_px}, {part.top_px}",
                *(digits(part.figures[name]) if name in part.figures else ABSENT for name in names),
            )
            for part in ordered[:PART_ROWS]
        )
        left_out = len(ordered) - len(rows)
        note = f"{left_out} more parts are in report.json." if left_out else ""
        yield Table(model.name, columns, rows, note, words=("region", "place"))


def figure_panels(evaluation: Evaluation) -> Iterator[Panel]:
    """Yield a plot of each main figure: a bar with its interval for each model."""
    for title, name in MAIN.items():
        having = [model for model in evaluation.models if name in model.figures]
        if not having:
            continue
        figure = EVALUATED[name]
        factor = 100.0 if figure.unit == "share" else 1.0
        shown = {model.name: _scaled(model.figures[name], factor) for model in having}
        axis = fit_axis([bound for found in shown.values() for bound in (found.value, found.high)], log=False)
        rows = tuple(
            Row(model.name, _cell(model, name), bar_svg(axis, shown[model.name]), _colour(evaluation, model))
            for model in having
        )
        better = "larger is better" if figure.larger_is_better else "smaller is better"
        yield Panel(f"{title}, {better}", rows, axis_svg(axis, "%" if figure.unit == "share" else ""))


def _finding(evaluation: Evaluation, model: ModelEvaluation) -> str:
    """Return one model's most important figure, one sentence."""
    name = next((name for name in ("flat_residual", "window_depth", "abs_rel") if name in model.figures), "")
    figure = EVALUATED[name or "abs_rel"]
    moved = model.moved.get(name)
    if moved is None or moved.relative is None:
        found = model.figures.get(name)
        value = ABSENT if found is None else _with_interval(found, figure.unit)
        return f"{model.name}: {figure.title} {value}{_beside(model)}."
    return (
        f"{model.name}: {figure.title} {percent_change(moved.relative)} against {evaluation.against}, from "
        f"{amount(moved.before, figure.unit)} to {amount(moved.after, figure.unit)}{_beside(model)}."
    )


def _beside(model: ModelEvaluation) -> str:
    """Return the figures without which a flat residual misleads: a constant is flat too."""
    plane, drift = model.moved.get("plane_error"), model.figures.get("drift")
    parts = []
    if plane is not None and plane.relative is not None:
        parts.append(f"plane error {change(plane.relative.value)}")
    if drift is not None:
        parts.append(f"drift outside {amount(drift.value, 'share')}")
    return f"; {', '.join(parts)}" if parts else ""


def _outcome(report: EvaluationReport) -> str:
    counts = Counter(one.state for one in report.requirements)
    words: dict[State, str] = {"passed": "hold", "unclear": "unclear", "failed": "failed"}
    parts = [f"{counts[state]} {word}" for state, word in words.items() if counts[state]]
    return f"Of {_counted(len(report.requirements), 'requirement')}, {', '.join(parts)}."


def _title(evaluation: Evaluation) -> str:
    parts = [f"{count} {region}" for region, count in evaluation.parts.items()]
    where = f"{evaluation.dataset}: {_counted(evaluation.images, 'image')} of {_counted(evaluation.scenes, 'scene')}"
    return f"{where}, parts: {', '.join(parts)}" if parts else where


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _main_note(columns: dict[str, str]) -> str:
    """Return how to read the main figures."""
    larger = [title for title, name in columns.items() if EVALUATED[name].larger_is_better]
    note = "Flat residual, plane error and step error are shares of depth." if "flat residual" in columns else ""
    return " ".join(filter(None, [note, f"Larger is better for {', '.join(larger)}." if larger else ""]))


def _role(evaluation: Evaluation, model: ModelEvaluation) -> str:
    if model.failure:
        return "failed"
    return "start" if model.name == evaluation.against else ""


def _colour(evaluation: Evaluation, model: ModelEvaluation) -> str:
    return "baseline" if model.name in (evaluation.against, *evaluation.baselines) else ""


def _cell(model: ModelEvaluation, name: str) -> str:
    found = model.figures.get(name)
    return ABSENT if found is None else amount(found.value, EVALUATED[name].unit)


def _with_interval(found: Interval | None, unit: str = "") -> str:
    return ABSENT if found is None else f"{amount(found.value, unit)} (95 % {between(found, unit)})"


def _moved_cells(figure: EvaluatedFigure, moved: Moved) -> tuple[str, ...]:
    by = moved.absolute if figure.unit == "share" or moved.relative is None else moved.relative
    better = by.value > 0 if figure.larger_is_better else by.value < 0
    clear = by.low > 0 or by.high < 0
    verdict = ("yes" if better else "no") if clear else "unclear"
    points = figure.unit == "share"
    if moved.relative is None and not points:
        cells = f"{by.value:+.3g}", f"{by.low:+.3g} to {by.high:+.3g}"
    else:
        unit = " points" if points else " %"
        cells = f"{100 * by.value:+.1f}{unit}", f"{100 * by.low:+.1f} to {100 * by.high:+.1f}{unit}"
    return amount(moved.before, figure.unit), amount(moved.after, figure.unit), *cells, verdict


def _images(model: ModelEvaluation, scope: str) -> str:
    return str(sum(scoped(scope, "abs_rel") in image.figures for image in model.images))


def _scaled(found: Interval, factor: float) -> Interval:
    return Interval(found.value * factor, found.low * factor, found.high * factor)


def _without_last(table: Table) -> Table:
    return Table(table.title, table.columns[:-1], tuple(row[:-1] for row in table.rows), table.note, table.words)
