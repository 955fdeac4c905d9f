"""Checks of augmented folders, for several tests: their sidecars, regions, and planes of their depth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depthrt.bench.datasets.ground_truth import Pair, open_ground_truth
from depthrt.bench.datasets.regions import region
from depthrt.bench.datasets.true_depth import Sample

LEAST_PX = 40  # of a part, for a fit of three numbers


def files_in(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder by its path."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def samples_in(folder: Path) -> Iterator[tuple[Pair, Sample, dict[str, Any]]]:
    """Yield each pair of an augmented folder, its sample and its sidecar."""
    for pair in open_ground_truth(folder).pairs:
        assert pair.image is not None
        relative = pair.image.relative_to(folder / "image").with_suffix(".json")
        yield pair, pair.read(), json.loads((folder / "sidecar" / relative).read_text())


def flat_parts(sample: Sample) -> Iterator[NDArray[np.bool_]]:
    """Yield the connected parts of mirrors and art that are large enough to fit a plane to."""
    assert sample.regions is not None
    flat = region(sample.regions, "mirror") | region(sample.regions, "art")
    count, labels = cv2.connectedComponents(flat.astype(np.uint8))
    for number in range(1, count):
        part = labels == number
        if part.sum() >= LEAST_PX and min(np.ptp(np.nonzero(part), axis=1)) > 3:
            yield part


def plane_residual(sample: Sample, part: NDArray[np.bool_]) -> tuple[float, NDArray[np.float64]]:
    """Return the largest relative difference of inverse depth from the plane that fits it best, and the plane."""
    v, u = np.nonzero(part)
    inverse = 1 / sample.truth.values[part].astype(np.float64)
    terms = np.stack([u, v, np.ones(len(u))], 1)
    plane = np.asarray(np.linalg.lstsq(terms, inverse, rcond=None)[0], np.float64)
    return float(np.max(np.abs(terms @ plane / inverse - 1))), plane
