"""Judges subjects on data sets with measured depth, by each data set's custom or by rules of the user."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from ...engine.images.readable import name_left_out
from ...engine.terms import MEANINGS, Alignment, Crop, Kind
from ..datasets.ground_truth import GroundTruth
from ..datasets.true_depth import Sample
from ..numbers.result import Accuracy
from ..subjects.stage import OnImage, StageResult, failure_of, failures_of
from ..subjects.subject import Opened
from .accuracy_meter import AccuracyMeter, Rules
from .alignment import usual_alignment
from .known_share import KnownShare


@dataclass(frozen=True, slots=True)
class RuleChoices:
    """Rules of accuracy that a user chose; the custom decides the rest, for each subject on each data set.

    Args:
        alignment: None compares metres with metres unaligned, aligns by scale where nothing else is unknown of depth,
            and everything else by scale and shift.
        cap_m: None takes the data set's.
        crop: As in Rules.

    Raises:
        InputError: As Rules.
    """

    alignment: Alignment | None = None
    cap_m: float | None = None
    crop: Crop = "none"

    def __post_init__(self) -> None:
        Rules(self.alignment or "none", self.cap_m, self.crop)  # a wrong choice is refused before anything is measured

    def rules(self, kind: Kind, dataset: GroundTruth) -> Rules:
        """Return the rules for depth of a kind on a data set."""
        cap_m = dataset.cap_m if self.cap_m is None else self.cap_m
        return Rules(self.alignment or usual_alignment(kind, dataset.kind), cap_m, self.crop)


CUSTOM = RuleChoices()


def judge(
    subjects: Sequence[Opened],
    dataset: GroundTruth,
    choices: RuleChoices = CUSTOM,
    *,
    on_image: OnImage = lambda done, wanted: None,
) -> StageResult[Accuracy]:
    """Judge the subjects on a data set, image by image; answers are not kept.

    Args:
        subjects: Must stay open.
        dataset: An unreadable image is left out with a warning.
        choices: Rules of the user.
        on_image: Called after each image.
    """
    kinds = {opened.subject.name: opened.model.kind for opened in subjects}
    meters = {name: AccuracyMeter(dataset.name, choices.rules(kind, dataset)) for name, kind in kinds.items()}
    unjudged = failures_of({name: partial(meters[name].check, kind, dataset.kind) for name, kind in kinds.items()})
    left = {opened.subject.name: opened for opened in subjects if opened.subject.name not in unjudged}
    failures: dict[str, str] = {}
    left_out: dict[str, str] = {}
    known = KnownShare()
    for number, pair in enumerate(dataset.pairs):
        on_image(number, len(dataset))
        try:
            sample = pair.read()
        except Exception as error:  # one damaged file must not lose the other figures
            left_out[f"{pair.name} of {dataset.name}"] = failure_of(error)
            continue
        known.add(sample.truth)
        failures |= failures_of({name: partial(_judge, opened, sample, meters[name]) for name, opened in left.items()})
        left = {name: opened for name, opened in left.items() if name not in failures}
    found: dict[str, Accuracy] = {}
    unjudged |= failures_of({name: partial(_conclude, name, meters[name], found) for name in left})
    notes = {name: said for name in found if (said := tuple(meters[name].notes()))}
    notes |= {name: (f"no accuracy on {dataset.name}: {why}",) for name, why in unjudged.items()}
    flat = max((meter.flat for meter in meters.values()), default=0)
    remarks = [*dataset.notes, *known.sentences(), *_aligned_as({kinds[name] for name in found})]
    if flat:
        remarks.append(f"{flat} of its images have one depth everywhere, which alignment reaches with any answer")
    warnings = (*name_left_out(left_out, of=len(dataset)), *(f"{dataset.name}: {remark}." for remark in remarks))
    return StageResult(found, failures, notes, warnings)


def _aligned_as(kinds: Collection[Kind]) -> Iterator[str]:
    """Yield a clause on each kind that is aligned otherwise than inverse depth, the usual kind without a unit."""
    for kind, meaning in MEANINGS.items():
        if kind in kinds and not (meaning.unit or meaning.larger_is_nearer):
            yield f"{meaning.name} is aligned as depth, not as inverse depth"


def _judge(opened: Opened, sample: Sample, meter: AccuracyMeter) -> None:
    depth = opened.model.infer(sample.image)
    meter.add(sample.name, depth.values, sample.truth, kind=depth.kind)


def _conclude(name: str, meter: AccuracyMeter, found: dict[str, Accuracy]) -> None:
    found[name] = meter.result()
