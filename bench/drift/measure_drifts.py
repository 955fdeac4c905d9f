"""Drift of subjects against a reference subject, with pictures of the worst tiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...engine.depth.depth import Depth
from ...engine.images.read import read_image
from ...engine.terms import MEANINGS
from ..numbers.result import Drift, Picture
from ..numbers.wording import SMALLEST_SHARE, reference_notes
from ..subjects.stage import OnImage, StageResult, failure_of, failures_of
from ..subjects.subject import Opened
from .drift_meter import DriftMeter
from .tile_pictures import tile_pictures


@dataclass(frozen=True, slots=True)
class Drifts(StageResult[Drift]):
    """Drift by subject name; `pictures` are of the worst tiles."""

    pictures: tuple[Picture, ...] = ()


def measure_drifts(
    reference: Opened,
    subjects: Sequence[Opened],
    images: Sequence[Path],
    *,
    video: bool = False,
    on_image: OnImage = lambda done, wanted: None,
) -> Drifts:
    """Measure each subject against the reference, image by image; answers are not kept.

    Args:
        reference: If it fails, there is no drift at all.
        subjects: A subject of another kind of depth than the reference has a note and no drift.
        images: Files.
        video: Whether the images are consecutive frames.
        on_image: Called after each image.
    """
    base, kind = reference.subject.name, reference.model.kind
    kinds = {opened.subject.name: opened.model.kind for opened in subjects}
    left = {opened.subject.name: opened for opened in subjects if kinds[opened.subject.name] == kind}
    notes = {
        name: f"no drift: it gives {MEANINGS[other].name}, the reference {MEANINGS[kind].name}"
        for name, other in kinds.items()
        if other != kind
    }
    meters = {name: DriftMeter(base, kind=kind, video=video) for name in left}
    failures: dict[str, str] = {}
    paths = _by_short_name(images)
    for number, (image_name, path) in enumerate(paths.items()):
        on_image(number, len(paths))
        image = read_image(path)
        try:
            expected = reference.model.infer(image).values
        except Exception as error:  # whatever a backend raises is the finding
            lost = dict.fromkeys(left, f"no drift: the reference {base} failed")
            return Drifts(failures=failures | {base: failure_of(error)}, notes=_single(notes | lost))
        failures |= failures_of(
            {name: partial(_add, meters[name], opened, image_name, image, expected) for name, opened in left.items()}
        )
        left = {name: opened for name, opened in left.items() if name not in failures}
    found = {name: meters[name].result() for name in left}
    pictures: list[Picture] = []
    unpainted = failures_of(
        {name: partial(_paint, left[name], reference, found[name], paths, pictures) for name in left}
    )
    notes |= {name: f"no pictures of its drift: {why}" for name, why in unpainted.items()}
    warnings = reference_notes(reference.model.runner.precision)
    return Drifts(found, failures, _single(notes), warnings, pictures=tuple(pictures))


def _single(notes: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {name: (note,) for name, note in notes.items()}


def _by_short_name(images: Sequence[Path]) -> dict[str, Path]:
    """Return images by file name, or by whole path if two files share a name."""
    short = {path.name: path for path in images}
    return short if len(short) == len(images) else {str(path): path for path in images}


def _add(meter: DriftMeter, opened: Opened, name: str, image: NDArray[np.uint8], expected: NDArray[np.float32]) -> None:
    meter.add(name, expected, opened.model.infer(image).values)


def _paint(opened: Opened, reference: Opened, drift: Drift, paths: Mapping[str, Path], pictures: list[Picture]) -> None:
    """Add the pictures of a subject's worst tiles, if its drift is more than rounding."""

    def answers(name: str) -> tuple[NDArray[np.uint8], Depth, Depth]:
        image = read_image(paths[name])
        return image, reference.model.infer(image), opened.model.infer(image)

    if drift.mean >= SMALLEST_SHARE:
        pictures += tile_pictures(opened.subject.name, drift, answers)
