"""A sample of a data set as all models are judged on it: its depth, its regions, and which pixels count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....bench.accuracy.accuracy_meter import LEAST_PIXELS, Rules, judged_pixels, measured_depth
from ....bench.accuracy.alignment import Float64
from ....bench.datasets.regions import FLAT, region
from ....bench.datasets.true_depth import Sample
from .parts import Part, find_parts, margin_px


@dataclass(frozen=True, slots=True, eq=False)
class SceneView:
    """One image with its depth and regions.

    Args:
        sample: The image and its depth.
        truth_m: (H, W) depth; 1 where it is not known.
        inverse: (H, W) 1 / depth; 0 for the sky.
        judged: (H, W) bool, pixels that count: known depth within the cap and the crop.
        seen: (H, W) bool, the judged pixels and the sky.
        clean: (H, W) bool, judged pixels outside mirrors and art, to which answers are aligned.
        flat: Connected parts of mirrors and art.
        windows: Connected parts of windows.
        margin_px: Width that the edge of a part may take in an answer.
    """

    sample: Sample
    truth_m: Float64
    inverse: Float64
    judged: NDArray[np.bool_]
    seen: NDArray[np.bool_]
    clean: NDArray[np.bool_]
    flat: tuple[Part, ...]
    windows: tuple[Part, ...]
    margin_px: int

    @property
    def alignable(self) -> bool:
        """Whether enough pixels lie outside mirrors and art to align an answer to."""
        return int(np.count_nonzero(self.clean)) >= LEAST_PIXELS

    def inside(self, name: str) -> NDArray[np.bool_]:
        """Return (H, W) bool, judged pixels: of a region, or for "clean" those outside mirrors, art and windows."""
        regions = self.sample.regions
        if regions is None:
            return self.judged if name == "clean" else np.zeros_like(self.judged)
        if name == "clean":
            return self.clean & ~region(regions, "window")
        return self.judged & region(regions, name)


def view_scene(sample: Sample, rules: Rules) -> SceneView:
    """Return a sample as models are judged on it.

    Args:
        sample: An image of a data set.
        rules: Their cap and crop count; the alignment does not.
    """
    truth_m = measured_depth(sample.truth)
    judged = judged_pixels(truth_m, sample.truth.valid, rules)
    regions = np.zeros(sample.truth.shape, np.uint8) if sample.regions is None else sample.regions
    sky = region(regions, "sky")
    flat = region(regions, "mirror") | region(regions, "art")
    margin = margin_px(sample.truth.shape)
    seen = judged | sky
    return SceneView(
        sample,
        truth_m,
        np.where(sky & ~sample.truth.valid, 0.0, 1 / truth_m),
        judged,
        seen,
        judged & ~flat,
        tuple(find_parts({name: region(regions, name) for name in FLAT}, judged, margin)),
        tuple(find_parts({"window": region(regions, "window") & ~flat}, seen, margin)),
        margin,
    )
