"""Figures of images become figures of models: means with intervals, and changes against the starting network."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...bench.numbers.evaluation import EVALUATED, ImageFigures, Moved
from ...bench.numbers.image_means import Draws
from ...bench.numbers.result import Interval


def mean_figures(images: Sequence[ImageFigures], draws: Draws) -> dict[str, Interval]:
    """Return the mean over images of every figure that any image has, by name.

    Args:
        images: In the order of the draws.
        draws: Of the images.
    """
    found = {name: draws.mean(_values(images, name)) for name in EVALUATED}
    return {name: mean for name, mean in found.items() if mean is not None}


def moved_figures(before: Sequence[ImageFigures], after: Sequence[ImageFigures], draws: Draws) -> dict[str, Moved]:
    """Return how every figure changed that an image has in both, by name; arguments as in mean_figures."""
    found = {name: draws.moved(_values(before, name), _values(after, name)) for name in EVALUATED}
    return {name: moved for name, moved in found.items() if moved is not None}


def _values(images: Sequence[ImageFigures], name: str) -> list[float]:
    return [image.figures.get(name, math.nan) for image in images]
