"""Whether an answer keeps windows and openings as deep as they are."""

from __future__ import annotations

import numpy as np

from ....bench.accuracy.alignment import Float64
from .parts import LEAST_PX, Part, across_edge
from .scene_view import SceneView

LEAST_STEP = 0.1  # of the frame's inverse depth; what a window shows just behind its frame tells nothing


def window_depth(inverse: Float64, scene: SceneView, part: Part) -> float | None:
    """Return the share of a window's true depth behind its frame that an answer keeps, from -1 to 1.

    (d_frame - d_in) / (1 / z_frame - 1 / z_in), medians of inverse depth; the frame is what lies just outside, and
    the sky's inverse depth is 0. 1 is as deep as in truth or deeper, 0 is closed by a plane at the frame, and below
    0 the window comes forward. None if the true step is small, or the window has too few pixels outside.

    Args:
        inverse: (H, W) aligned inverse depth.
        scene, part: The part is one of the scene's windows.
    """
    _, frame = across_edge(part, scene.inside("clean"), scene.margin_px)
    if frame[0].size < LEAST_PX:
        return None
    true_frame = float(np.median(scene.inverse[frame]))
    true_step = true_frame - float(np.median(scene.inverse[part.inner]))
    if true_step < LEAST_STEP * true_frame:
        return None
    step = float(np.median(inverse[frame]) - np.median(inverse[part.inner]))
    return float(np.clip(step / true_step, -1, 1))
