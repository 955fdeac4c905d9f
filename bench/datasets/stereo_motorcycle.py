"""Middlebury's motorcycle, which comes with scikit-image; its calibration turns disparity into metres."""

from __future__ import annotations

import numpy as np

from ...engine.errors import BackendUnavailable
from .true_depth import Sample, TrueDepth

STEREO_MOTORCYCLE = "stereo_motorcycle"
# Calibration of the down-sampled left camera. Source: scikit-image, data.stereo_motorcycle; Middlebury 2014
_FOCAL_PX = 994.978
_OFFSET_PX = 31.086  # between the principal points of the two cameras
_BASELINE_M = 0.193001


def read_motorcycle() -> Sample:
    """Return the left photograph and its depth.

    Raises:
        BackendUnavailable: scikit-image is missing.
    """
    try:
        from skimage.data import stereo_motorcycle
    except ImportError as error:
        raise BackendUnavailable(
            f"scikit-image is missing, {STEREO_MOTORCYCLE} comes with it; pip install 'depthrt[bench]'"
        ) from error
    left, _, disparity_px = stereo_motorcycle()  # type: ignore[no-untyped-call, unused-ignore]
    offset_px = np.asarray(disparity_px, np.float64) + _OFFSET_PX
    known = np.isfinite(offset_px) & (offset_px > 0)
    depth_m = _FOCAL_PX * _BASELINE_M / np.where(known, offset_px, 1)
    image = np.ascontiguousarray(left[..., ::-1], np.uint8)
    return Sample(STEREO_MOTORCYCLE, image, TrueDepth(depth_m.astype(np.float32), known))
