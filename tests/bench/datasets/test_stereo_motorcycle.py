"""The motorcycle's depth is disparity over its calibration, and unknown where the disparity is."""

from __future__ import annotations

import numpy as np

from depthrt.bench.datasets.stereo_motorcycle import STEREO_MOTORCYCLE, read_motorcycle


def test_the_nearest_pixel_has_the_largest_disparity() -> None:
    import skimage.data

    sample = read_motorcycle()
    _, _, disparity = skimage.data.stereo_motorcycle()  # type: ignore[no-untyped-call, unused-ignore]
    known = np.isfinite(disparity)
    assert sample.name == STEREO_MOTORCYCLE and sample.image.dtype == np.uint8
    assert np.array_equal(sample.truth.valid, known)
    nearest = np.where(known, disparity, -np.inf).argmax()
    assert sample.truth.values.flat[nearest] == sample.truth.values[known].min()
