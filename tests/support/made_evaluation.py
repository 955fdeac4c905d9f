"""An evaluation of a starting network, a trained one, a failed one and a baseline; its numbers are made."""

from __future__ import annotations

from dataclasses import replace

from made_report import MACHINE, make_pictures, make_report

from depthrt.bench.numbers.evaluation import (
    Evaluation,
    EvaluationReport,
    ImageFigures,
    ModelEvaluation,
    Moved,
    PartFigures,
    Requirement,
)
from depthrt.bench.numbers.result import METRICS, Interval, Picture

START, TRAINED, FAILED, BASELINE = "start.pth", "trained [1].safetensors", "broken.onnx", "baseline: constant"
METRIC_VALUES: dict[str, float] = dict(zip(METRICS, (0.1, 0.2, 0.9, 0.2, 0.05, 0.15, 0.9, 0.95, 0.99), strict=True))


def spread(value: float) -> Interval:
    return Interval(value, value * 0.9, value * 1.1)


def made_model(name: str, residual: float, *, factor: float = 1.0) -> ModelEvaluation:
    figures = {
        **METRIC_VALUES,
        "clean.abs_rel": 0.09 * factor,
        "window.abs_rel": 0.12 * factor,
        "mirror.flat_residual": residual * 1.5,
        "art.flat_residual": residual / 2,
        "flat_residual": residual,
        "plane_error": residual * 2,
        "step_error": residual * 1.2,
        "picture_leak": 0.4,
        "window_depth": 0.97,
    }
    part = {"flat_residual": residual, "plane_error": 2 * residual}
    return ModelEvaluation(
        name,
        {"file": f"/models/{name}", "runner": "torch"},
        figures={key: spread(value) for key, value in figures.items()},
        images=(ImageFigures("a", "scene 1", figures), ImageFigures("b", "scene 2", figures)),
        parts=tuple(PartFigures("a", "mirror", 20, 12 + n, 30, 40, part) for n in range(70)),
    )


def made_evaluation() -> Evaluation:
    start, trained = made_model(START, 0.08), made_model(TRAINED, 0.02, factor=1.01)
    moved = {
        "flat_residual": Moved(0.08, 0.02, Interval(-0.06, -0.07, -0.05), Interval(-0.75, -0.8, -0.7)),
        "plane_error": Moved(0.16, 0.08, Interval(-0.08, -0.1, -0.06), Interval(-0.5, -0.6, -0.4)),
        "clean.abs_rel": Moved(0.09, 0.0909, Interval(0.0009, -0.001, 0.003), Interval(0.01, -0.01, 0.03)),
        "window_depth": Moved(0.97, 0.94, Interval(-0.03, -0.05, -0.01), Interval(-0.03, -0.05, -0.01)),
        "picture_leak": Moved(0.0, 0.1, Interval(0.1, 0.05, 0.15), None),
    }
    trained = replace(trained, moved=moved, figures={**trained.figures, "drift": Interval(0.012, 0.01, 0.015)})
    failed = ModelEvaluation(FAILED, {"file": FAILED}, failure="the file is damaged; export it again")
    return Evaluation(
        "rooms",
        2,
        2,
        {"mirror": 70, "art": 3, "window": 5},
        20.0,
        "none",
        (start, trained, failed, made_model(BASELINE, 0.0)),
        against=START,
        baselines=(BASELINE,),
        warnings=("3 of 5 images are left out.",),
    )


def made_evaluation_report(*requirements: Requirement) -> EvaluationReport:
    return EvaluationReport(MACHINE, make_report().made, made_evaluation(), requirements)


def made_examples() -> tuple[Picture, ...]:
    return tuple(replace(picture, subject=TRAINED) for picture in make_pictures()[:2])
