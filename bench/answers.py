"""What subjects answer becomes drift against one of them, with pictures, and accuracy against measured depth.

One that fails on the way is named with its reason, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..engine.depth.depth import Depth
from ..engine.images.read import read_image
from ..engine.terms import Kind
from .accuracy import AccuracyMeter, Crop, Rules
from .alignment import Alignment
from .drift import DriftMeter
from .ground_truth import GroundTruth
from .latency import failures_of
from .pictures import tile_pictures
from .result import Accuracy, Drift, Picture
from .subjects import Opened, failure_of
from .true_depth import Sample
from .wording import SMALLEST_SHARE, reference_notes

Count = Callable[[int, int], None]  # images done, images wanted


@dataclass(frozen=True, slots=True)
class Asked:
    """What a user asked of the rules of accuracy; the rest is the custom, of each subject on each data set.

    Args:
        alignment: None takes metres against metres as they are, and aligns all else by scale and shift.
        cap_m: None takes the data set's.
        crop: As in Rules.

    Raises:
        InputError: As Rules.
    """

    alignment: Alignment | None = None
    cap_m: float | None = None
    crop: Crop = "none"

    def __post_init__(self) -> None:
        Rules(self.alignment or "none", self.cap_m, self.crop)  # a wrong one is said before anything is measured

    def rules(self, kind: Kind, dataset: GroundTruth) -> Rules:
        """Return how depth of a kind is judged on a data set."""
        metres = kind == "metric" and dataset.cap_m is not None
        custom: Alignment = "none" if metres else "scale-and-shift"
        return Rules(self.alignment or custom, dataset.cap_m if self.cap_m is None else self.cap_m, self.crop)


AS_IS_CUSTOM = Asked()


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


@dataclass(frozen=True, slots=True)
class Judgement:
    """How true subjects are on one data set, by subject name.

    Args:
        found: Of those that were judged.
        failures: Why a subject failed.
        notes: Why images, or all of them, were not judged.
        warnings: What could not be read, one sentence each.
    """

    found: Mapping[str, Accuracy]
    failures: Mapping[str, str]
    notes: Mapping[str, str]
    warnings: tuple[str, ...]


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


def judge(
    opened: Sequence[Opened],
    dataset: GroundTruth,
    asked: Asked = AS_IS_CUSTOM,
    *,
    on_image: Count = lambda done, wanted: None,
) -> Judgement:
    """Judge the subjects on a data set, image by image; answers are not kept.

    Args:
        opened: They stay open.
        dataset: An image of it that cannot be read is left out.
        asked: Of the rules.
        on_image: Called as it goes on.
    """
    kinds = {one.subject.name: one.model.contract.kind for one in opened}
    meters = {name: AccuracyMeter(dataset.name, asked.rules(kind, dataset)) for name, kind in kinds.items()}
    truth_kind: Kind = "inverse" if dataset.cap_m is None else "metric"
    unjudged = failures_of({name: partial(meters[name].check, kind, truth_kind) for name, kind in kinds.items()})
    left = {one.subject.name: one for one in opened if one.subject.name not in unjudged}
    failures: dict[str, str] = {}
    warnings = []
    for number, pair in enumerate(dataset.pairs):
        on_image(number, len(dataset))
        try:
            sample = pair.read()
        except Exception as error:  # one damaged file is no reason to lose what was measured
            warnings.append(f"{pair.name} of {dataset.name} is left out: {failure_of(error).rstrip('.')}.")
            continue
        failures |= failures_of({name: partial(_judge, one, sample, meters[name]) for name, one in left.items()})
        left = {name: one for name, one in left.items() if name not in failures}
    found: dict[str, Accuracy] = {}
    unjudged |= failures_of({name: partial(_conclude, name, meters[name], found) for name in left})
    notes = {
        name: f"{meters[name].skipped} images of {dataset.name} have too few measured pixels"
        for name in found
        if meters[name].skipped
    }
    notes |= {name: f"no accuracy on {dataset.name}: {why}" for name, why in unjudged.items()}
    return Judgement(found, failures, notes, tuple(warnings))


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


def _judge(one: Opened, sample: Sample, meter: AccuracyMeter) -> None:
    depth = one.model.infer(sample.image)
    meter.add(sample.name, depth.values, sample.truth, kind=depth.kind)


def _conclude(name: str, meter: AccuracyMeter, found: dict[str, Accuracy]) -> None:
    found[name] = meter.result()
