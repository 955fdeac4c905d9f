"""How far a model's depth moved from the starting network's where nothing should have changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....bench.accuracy.alignment import Float64, align, as_depth, usual_alignment
from ....engine.terms import MEANINGS, Alignment, Kind
from .scene_view import SceneView


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """The starting network's depth of one image.

    Args:
        depth_m: (H, W), metres as answered, or aligned to the truth outside mirrors and art.
        as_answered: Whether it is metres as answered.
    """

    depth_m: Float64
    as_answered: bool


def start_of(values: Float64, kind: Kind, scene: SceneView) -> Start:
    """Return the starting network's depth of an image from its answer (H, W)."""
    alignment = usual_alignment(kind, scene.sample.truth.kind)
    aligned = align(values, scene.truth_m, kind, alignment, scene.clean)
    # An aligned answer may reach infinity, where differences mean nothing.
    farthest_m = np.inf if alignment == "none" else float(scene.truth_m[scene.judged].max())
    return Start(as_depth(aligned, kind, farthest_m), alignment == "none")


def drift_outside(values: Float64, kind: Kind, start: Start, scene: SceneView) -> float:
    """Return the mean of |z - z_start| / z_start over the judged pixels outside mirrors and art.

    Metres of both are compared as they are. Otherwise the answer is first aligned to the starting network's depth, by
    what is unknown of its kind.

    Args:
        values: (H, W), the model's answer, not aligned.
        kind: Of values.
        start: Of the same image.
        scene: What the answers are of.
    """
    metres = start.as_answered and MEANINGS[kind].unit == "m"
    alignment: Alignment = "none" if metres else "scale" if MEANINGS[kind].shift_known else "scale-and-shift"
    aligned = align(values, start.depth_m, kind, alignment, scene.clean)
    before_m = start.depth_m[scene.clean]
    farthest_m = np.inf if metres else float(before_m.max())
    depth_m = as_depth(aligned[scene.clean], kind, farthest_m)
    return float(np.mean(np.abs(depth_m - before_m) / before_m))
