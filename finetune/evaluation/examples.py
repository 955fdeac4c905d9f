"""Pictures of the images that a model answers best and worst: photograph, true depth, start and model in a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ...bench.accuracy.alignment import Float64
from ...bench.datasets.regions import region
from ...bench.numbers.evaluation import EVALUATED, ModelEvaluation
from ...bench.numbers.result import Picture
from ...bench.numbers.wording import amount
from ...engine.depth.colour import colorize
from .figures.scene_view import SceneView

BEST, WORST = 2, 3  # examples of each model
PANEL_H_PX = 200
LARGEST_BYTES = 60_000
# What an image is ranked by: the first figure that most images have.
RANKED_BY = ("flat_residual", "window_depth", "abs_rel")
_SHOWN = ("flat_residual", "step_error", "picture_leak", "window_depth", "drift", "abs_rel")
_OUTLINES = {"mirror": (255, 255, 0), "art": (255, 0, 255), "window": (0, 255, 255)}  # BGR
_LABEL_H_PX, _GAP_PX = 22, 4
_RANGE = (2.0, 98.0)  # percentiles of true inverse depth that are painted
_QUALITIES = (88, 78, 68, 55, 40)

Colours = NDArray[np.uint8]


def choose_examples(model: ModelEvaluation) -> list[tuple[str, str]]:
    """Return (image, title) of the worst images of a model, worst first, then of the best, best first."""
    for name in RANKED_BY:
        having = [image for image in model.images if name in image.figures]
        if having:
            break
    else:
        return []
    sign = -1 if EVALUATED[name].larger_is_better else 1
    ordered = sorted(having, key=lambda image: sign * image.figures[name], reverse=True)
    worst = ordered[:WORST]
    best = [image for image in reversed(ordered[-BEST:]) if image not in worst]
    one_each = len({image.scene for image in model.images}) == len(model.images)  # a scene's name is shorter
    return [
        (image.image, _title(image.scene if one_each else image.image, image.figures, which))
        for which, images in (("worst", worst), ("best", best))
        for image in images
    ]


def draw_example(model: str, title: str, scene: SceneView, answers: Sequence[tuple[str, Float64]]) -> Picture:
    """Return one example: the photograph with its regions outlined, the true depth, and answers in its colours.

    Args:
        model: Name of the model that the example is of.
        title: Of the picture.
        scene: The image.
        answers: (label, (H, W) aligned inverse depth).
    """
    shown = scene.inverse[scene.seen]
    low, high = (float(bound) for bound in np.percentile(shown, _RANGE)) if shown.size else (0.0, 1.0)
    value_range = (low, high) if high > low else None
    panels = [_panel(_photograph(scene), "photograph"), _panel(_paint(scene.inverse, scene.seen, value_range), "truth")]
    panels += [_panel(_paint(inverse, np.isfinite(inverse), value_range), label) for label, inverse in answers]
    gap = np.full((PANEL_H_PX + _LABEL_H_PX, _GAP_PX, 3), 255, np.uint8)
    strip = np.concatenate([part for panel in panels for part in (panel, gap)][:-1], axis=1)
    return Picture(model, title, _jpeg(strip))


def _title(image: str, figures: Mapping[str, float], which: str) -> str:
    shown = [
        f"{EVALUATED[name].title} {amount(figures[name], EVALUATED[name].unit)}" for name in _SHOWN if name in figures
    ]
    return f"{which}: {image}: {', '.join(shown)}"


def _photograph(scene: SceneView) -> Colours:
    """Return the image with its regions outlined, at the panels' height."""
    image = scene.sample.image
    small = _resized(image, cv2.INTER_AREA)
    if scene.sample.regions is None:
        return small
    sides = (small.shape[1], small.shape[0])  # (w, h) for OpenCV
    for name, colour in _OUTLINES.items():
        mask = cv2.resize(region(scene.sample.regions, name).astype(np.uint8), sides, interpolation=cv2.INTER_NEAREST)
        edges, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(small, edges, -1, (0, 0, 0), 3)
        cv2.drawContours(small, edges, -1, colour, 1)
    return small


def _paint(inverse: Float64, known: NDArray[np.bool_], value_range: tuple[float, float] | None) -> Colours:
    return _resized(
        colorize(inverse.astype(np.float32), known, larger_is_nearer=True, value_range=value_range), cv2.INTER_AREA
    )


def _resized(picture: Colours, rule: int) -> Colours:
    width = max(1, round(picture.shape[1] * PANEL_H_PX / picture.shape[0]))
    small = picture.shape[0] < PANEL_H_PX
    return np.array(cv2.resize(picture, (width, PANEL_H_PX), interpolation=cv2.INTER_NEAREST if small else rule))


def _panel(picture: Colours, label: str) -> Colours:
    strip = np.full((_LABEL_H_PX, picture.shape[1], 3), 255, np.uint8)
    cv2.putText(strip, label, (2, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([strip, picture])


def _jpeg(picture: Colours) -> bytes:
    data = b""
    for quality in _QUALITIES:
        done, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert done
        data = encoded.tobytes()
        if len(data) <= LARGEST_BYTES:
            break
    return data
