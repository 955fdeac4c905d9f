"""Depth that a test makes instead of a model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depthrt.engine.depth.depth import Depth
from depthrt.engine.depth.provenance import Provenance, Timings
from depthrt.engine.terms import Kind


def make_depth(values: NDArray[np.float32], *, kind: Kind, valid: NDArray[np.bool_] | None = None) -> Depth:
    """Return values as an answer, valid everywhere unless said otherwise."""
    provenance = Provenance(
        model="made",
        source_sha256="0" * 64,
        runner="none",
        provider="none",
        precision="fp32",
        input_px=(14, 14),
        image_px=(values.shape[0], values.shape[1]),
        producer="depthrt test",
        notes=(),
        timings=Timings(0.0, 0.0, 0.0),
    )
    known = np.ones(values.shape, np.bool_) if valid is None else valid
    return Depth(values, kind, known, provenance, None if kind == "inverse" else 20.0)
