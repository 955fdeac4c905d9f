"""Depth that a test makes instead of a model, and its provenance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from depthrt.engine.depth.depth import Depth
from depthrt.engine.depth.intrinsics import Intrinsics
from depthrt.engine.depth.provenance import Provenance, Timings
from depthrt.engine.terms import Kind

HEIGHT_PX, WIDTH_PX = 24, 37  # of `surface`
PROVENANCE = Provenance(
    model="depth-anything-v2-vits",
    source_sha256="ab" * 32,
    runner="onnxruntime",
    provider="CPUExecutionProvider",
    precision="fp32",
    input_px=(518, 798),
    image_px=(HEIGHT_PX, WIDTH_PX),
    producer="depthrt 0.1.0",
    notes=("no GPU: ran on the CPU", "größer als gedacht"),
    timings=Timings(preprocess_ms=1.5, run_ms=20.25, postprocess_ms=0.5),
)


def make_depth(values: NDArray[np.float32], *, kind: Kind, valid: NDArray[np.bool_] | None = None) -> Depth:
    """Return values as a depth; None makes every pixel valid."""
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
    return Depth(values, kind, known, provenance, 20.0 if kind == "metric" else None)


def surface(
    kind: Kind = "inverse", values: NDArray[np.float32] | None = None, valid: NDArray[np.bool_] | None = None
) -> Depth:
    """Return a slanted, noisy surface between 1 and 6, all of it valid; or other values."""
    if values is None:
        slope = np.linspace(1, 5, HEIGHT_PX * WIDTH_PX).reshape(HEIGHT_PX, WIDTH_PX)
        values = (slope + np.random.default_rng(0).random((HEIGHT_PX, WIDTH_PX))).astype(np.float32)
    if valid is None:
        valid = np.ones(values.shape, np.bool_)
    return Depth(values, kind, valid, PROVENANCE, 20.0 if kind == "metric" else None)


def holed(kind: Kind = "inverse") -> Depth:
    """Return the same surface with an invalid corner and a NaN."""
    depth = surface(kind)
    values, valid = depth.values.copy(), depth.valid.copy()
    values[0, :5], valid[0, :5] = 1e6, False
    values[3, 4] = np.nan
    return surface(kind, values, valid)


def with_camera(depth: Depth) -> Depth:
    """Return a depth that was made with a camera."""
    camera = Intrinsics.from_fov(60, *depth.shape)
    return replace(depth, provenance=replace(depth.provenance, camera=camera))
