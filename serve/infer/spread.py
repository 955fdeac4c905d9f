"""How the values of an answer spread; over months, a change of it tells that other images come than before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...engine.depth.depth import Depth

PERCENTILES = (2, 50, 98)
_SAMPLES = 1 << 15  # of an answer


@dataclass(frozen=True, slots=True)
class Spread:
    """Spread of an answer's values.

    Args:
        model: Name of the model.
        valid_share: Share of pixels that have a depth.
        percentiles: Values at PERCENTILES; empty if no pixel has a depth.
    """

    model: str
    valid_share: float
    percentiles: tuple[float, ...]


def spread_of(model: str, depth: Depth) -> Spread:
    """Return the spread of a model's answer."""
    step = max(1, int((depth.values.size / _SAMPLES) ** 0.5))
    valid = depth.valid[::step, ::step]
    values = depth.values[::step, ::step][valid]
    found = tuple(map(float, np.percentile(values, PERCENTILES))) if values.size else ()
    return Spread(model, float(valid.mean()), found)
