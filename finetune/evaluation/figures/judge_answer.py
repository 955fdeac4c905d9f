"""The figures of one answer on one image: nine metrics by region, flat parts, windows, and drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....bench.accuracy.accuracy_meter import LEAST_PIXELS, AccuracyMeter, Rules, image_metrics
from ....bench.accuracy.alignment import Float64, align, as_depth, as_inverse
from ....bench.datasets.regions import FLAT
from ....bench.numbers.evaluation import FLAT_SCOPES, ImageFigures, PartFigures, scoped
from ....bench.numbers.result import Metric
from ....engine.images.resize.bilinear import resize_bilinear
from ....engine.terms import MEANINGS, Alignment, Kind
from .drift import Start, drift_outside
from .flat_parts import flat_residual, plane_error, step_error
from .parts import Part
from .picture_leak import Answer, picture_leak
from .scene_view import SceneView
from .windows import window_depth


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """A model's answer for one image, in the size of the measured depth.

    Args:
        values: (H, W) as answered.
        kind: Of values.
        inverse: (H, W) inverse depth, aligned to the truth outside mirrors and art by what is unknown of its kind.
        depth_m: (H, W) depth by the rules: metres as they are, other kinds aligned outside mirrors and art.
    """

    values: Float64
    kind: Kind
    inverse: Float64
    depth_m: Float64


@dataclass(frozen=True, slots=True)
class Judged:
    """The figures of one model on one image, and on its parts."""

    image: ImageFigures
    parts: tuple[PartFigures, ...]


def place_answer(values: NDArray[np.float32], kind: Kind, scene: SceneView, rules: Rules) -> Answered:
    """Bring a model's answer to the measured depth of an image, of which enough lies outside mirrors and art.

    Args:
        values: (h, w), the model's answer.
        kind: Of values.
        scene: What the answer is of.
        rules: Of the nine metrics.
    """
    with np.errstate(invalid="ignore"):  # infinite values become NaN
        resized = resize_bilinear(values, scene.sample.truth.shape, mode="bilinear_corners").astype(np.float64)
    unknown: Alignment = "scale" if MEANINGS[kind].shift_known else "scale-and-shift"
    aligned = align(resized, scene.truth_m, kind, unknown, scene.clean)
    usual = rules.alignment == unknown
    by_rules = aligned if usual else align(resized, scene.truth_m, kind, rules.alignment, scene.clean)
    farthest_m = float(scene.truth_m[scene.judged].max()) if rules.cap_m is None else rules.cap_m
    return Answered(resized, kind, as_inverse(aligned, kind), as_depth(by_rules, kind, farthest_m))


def judge_answer(
    values: NDArray[np.float32],
    kind: Kind,
    scene: SceneView,
    meter: AccuracyMeter,
    *,
    scene_name: str,
    answer: Answer,
    start: Start | None = None,
) -> Judged:
    """Return the figures of one answer; those that the image does not have are missing.

    Args:
        values: (h, w), the model's answer.
        kind: Of values.
        scene: What the answer is of.
        meter: Of the model; it judges the whole image, as in the benchmark.
        scene_name: The scene that the image is of.
        answer: Runs the model, for the picture leak.
        start: The starting network's depth, for the drift; None without one, and for itself.
    """
    sample = scene.sample
    whole = meter.add(sample.name, values, sample.truth, kind=kind)
    figures: dict[str, float] = _scoped("", whole.metrics) if whole else {}
    if whole and not any(scene.inside(name).any() for name in FLAT):
        figures |= _scoped("clean_images", whole.metrics)
    parts: list[PartFigures] = []
    if scene.alignable:
        placed = place_answer(values, kind, scene, meter.rules)
        for name in ("clean", *FLAT, "window"):
            inside = scene.inside(name)
            if np.count_nonzero(inside) >= LEAST_PIXELS:
                figures |= _scoped(name, image_metrics(placed.depth_m, scene.truth_m, inside))
        parts += [_part(sample.name, part, _flat_figures(placed, scene, part, answer)) for part in scene.flat]
        kept = [(part, window_depth(placed.inverse, scene, part)) for part in scene.windows]
        parts += [_part(sample.name, part, {"window_depth": depth}) for part, depth in kept]
        if start is not None:
            figures["drift"] = drift_outside(placed.values, kind, start, scene)
    parts = [part for part in parts if part.figures]
    return Judged(ImageFigures(sample.name, scene_name, figures | _means(parts)), tuple(parts))


def _flat_figures(placed: Answered, scene: SceneView, part: Part, answer: Answer) -> dict[str, float | None]:
    values = placed.values.astype(np.float32)
    return {
        "flat_residual": flat_residual(placed.inverse, scene, part),
        "plane_error": plane_error(placed.inverse, scene, part),
        "step_error": step_error(placed.inverse, scene, part),
        "picture_leak": picture_leak(values, scene.sample.image, part, placed.kind, answer),
    }


def _part(image: str, part: Part, figures: Mapping[str, float | None]) -> PartFigures:
    found = {name: value for name, value in figures.items() if value is not None}
    top, left, height, width = part.box
    return PartFigures(image, part.name, top, left, height, width, found)


def _means(parts: Sequence[PartFigures]) -> dict[str, float]:
    """Return the means over the parts of an image: of all, and of those of mirrors and of art."""
    found: dict[str, list[float]] = {}
    for part in parts:
        for name, value in part.figures.items():
            found.setdefault(name, []).append(value)
            if part.region in FLAT_SCOPES:
                found.setdefault(scoped(part.region, name), []).append(value)
    return {name: float(np.mean(values)) for name, values in found.items()}


def _scoped(scope: str, metrics: Mapping[Metric, float]) -> dict[str, float]:
    return {scoped(scope, name): value for name, value in metrics.items()}
