"""Inverse depth of a made scene, planted errors, and their drift."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depthrt.bench.drift.drift_meter import DriftMeter
from depthrt.bench.numbers.result import Drift
from depthrt.engine.terms import Kind

EXACT = 1e-9
FLOAT32 = 1e-6  # the canary takes its range in float32
SIZE_PX = (64, 96)

Map = NDArray[np.float32]


def scene(seed: int = 0, size_px: tuple[int, int] = SIZE_PX) -> Map:
    """A slope with a box before it, in inverse depth; no two values are alike."""
    random = np.random.default_rng(seed)
    values = np.linspace(1, 3, size_px[0])[:, None] + random.uniform(0, 1e-3, size_px)
    values[20:40, 30:60] += 4
    return values.astype(np.float32)


def drift_of(reference: Map, found: Map, *, kind: Kind = "inverse") -> Drift:
    return drift_of_all([reference], [found], ["one"], kind=kind)


def drift_of_all(
    references: Sequence[Map],
    found: Sequence[Map],
    names: Sequence[str],
    *,
    kind: Kind = "inverse",
    video: bool = False,
) -> Drift:
    meter = DriftMeter("fp32", kind=kind, video=video)
    for name, reference, answer in zip(names, references, found, strict=True):
        meter.add(name, reference, answer)
    return meter.result()


def span(reference: Map) -> float:
    low, high = np.percentile(reference.astype(np.float64), (2, 98))
    return float(high - low)


def planted(reference: Map, amount: float, rows: slice, columns: slice) -> Map:
    found = reference.copy()
    found[rows, columns] += np.float32(amount)
    return found
