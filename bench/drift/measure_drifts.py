"""Measures the drift of subjects against one of them, with pictures of the worst tiles.

One that fails on the way is named with its reason, and the others go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...engine.depth.depth import Depth
from ...engine.images.read import read_image
from ..numbers.result import Drift, Picture
from ..numbers.wording import SMALLEST_SHARE, reference_notes
from ..subjects.subject import Count, Opened, failure_of, failures_of
from .drift_meter import DriftMeter
from .tile_pictures import tile_pictures


@dataclass(frozen=True, slots=True)
class Drifts:
    """How far subjects are from the reference, by subject name.

    Args:
        found: Of those that were measured.
        pictures: Of their worst tiles.
        failures: Why a subject, or the reference, failed.
        notes: Why one that did not fail has no drift or no pictures.
        warnings: What a reader must know of the reference, one sentence each.
    """

    found: Mapping[str, Drift] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def measure_drifts(
    base: Opened,
    others: Sequence[Opened],
    images: Sequence[Path],
    *,
    video: bool = False,
    on_image: Count = lambda done, wanted: None,
) -> Drifts:
    """Measure each subject against the reference, image by image; answers are not kept.

    Args:
        base: The reference. Where it fails there is no drift at all.
        others: Those of another kind of depth than the reference have a note and no drift.
        images: Files.
        video: Whether they follow each other in time.
        on_image: Called as it goes on.
    """
    reference, kind = base.subject.name, base.model.contract.kind
    left, notes = {}, {}
    for one in others:
        if one.model.contract.kind == kind:
            left[one.subject.name] = one
        else:
            notes[one.subject.name] = f"no drift: it gives {one.model.contract.kind} depth, the reference {kind}"
    meters = {name: DriftMeter(reference, kind=kind, video=video) for name in left}
    failures: dict[str, str] = {}
    paths = _by_short_name(images)
    for number, (name, path) in enumerate(paths.items()):
        on_image(number, len(paths))
        image = read_image(path)
        try:
            expected = base.model.infer(image).values
        except Exception as error:  # whatever a backend raises is the finding
            lost = dict.fromkeys(left, f"no drift: the reference {reference} failed")
            return Drifts(failures=failures | {reference: failure_of(error)}, notes=notes | lost)
        works = {one: partial(_add, meters[one], left[one], name, image, expected) for one in left}
        failures |= failures_of(works)
        left = {one: opened for one, opened in left.items() if one not in failures}
    found = {name: meters[name].result() for name in left}
    pictures: list[Picture] = []
    unpainted = failures_of({name: partial(_paint, left[name], base, found[name], paths, pictures) for name in left})
    notes |= {name: f"no pictures of its drift: {why}" for name, why in unpainted.items()}
    return Drifts(found, tuple(pictures), failures, notes, reference_notes(base.model.runner.precision))


def _by_short_name(images: Sequence[Path]) -> dict[str, Path]:
    """Return images by short names, by whole paths where two files have one name."""
    short = {path.name: path for path in images}
    return short if len(short) == len(images) else {str(path): path for path in images}


def _add(meter: DriftMeter, one: Opened, name: str, image: NDArray[np.uint8], expected: NDArray[np.float32]) -> None:
    meter.add(name, expected, one.model.infer(image).values)


def _paint(one: Opened, base: Opened, drift: Drift, paths: Mapping[str, Path], pictures: list[Picture]) -> None:
    """Add the pictures of a subject's worst tiles, if its drift is more than rounding."""

    def answers(name: str) -> tuple[NDArray[np.uint8], Depth, Depth]:
        image = read_image(paths[name])
        return image, base.model.infer(image), one.model.infer(image)

    if drift.mean >= SMALLEST_SHARE:
        pictures += tile_pictures(one.subject.name, drift, answers)
