"""Judges subjects on data sets with measured depth, by the data sets' customs or as asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ...engine.terms import Kind
from ..numbers.result import Accuracy
from ..subjects.subject import Count, Opened, failure_of, failures_of
from .accuracy_meter import AccuracyMeter, Crop, Rules
from .alignment import Alignment
from .ground_truth import GroundTruth
from .true_depth import Sample


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


def _judge(one: Opened, sample: Sample, meter: AccuracyMeter) -> None:
    depth = one.model.infer(sample.image)
    meter.add(sample.name, depth.values, sample.truth, kind=depth.kind)


def _conclude(name: str, meter: AccuracyMeter, found: dict[str, Accuracy]) -> None:
    found[name] = meter.result()
