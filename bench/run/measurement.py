"""What a run measures of every subject, and how its report states that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..accuracy.judge import CUSTOM, RuleChoices
from ..datasets.ground_truth import GroundTruth
from ..latency.narrowing import Narrowing
from ..latency.rate import FrameRate
from ..latency.throughput import LOADS, Load
from ..latency.turns import Rounds
from .request import BenchRequest

_CUSTOM = "the data set's custom"


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a run measures of every subject.

    Args:
        rounds: Of the latency; None leaves it out.
        narrowing: When further rounds end; None takes no further rounds.
        frame_rate: How frames arrive; None leaves the rate-driven scope out.
        loads: Batches and streams of the throughput; empty leaves it out.
        processes: Fresh processes of the cold start; 0 leaves it out.
        builds: Times that each subject is loaded to measure the spread; 0 leaves it out.
        energy: Whether energy is measured, if a counter exists.
        video: Whether the images are consecutive frames.
        rules: Of accuracy.
    """

    rounds: Rounds | None = field(default_factory=Rounds)
    narrowing: Narrowing | None = field(default_factory=Narrowing)
    frame_rate: FrameRate | None = field(default_factory=FrameRate)
    loads: tuple[Load, ...] = LOADS
    processes: int = 3
    builds: int = 0
    energy: bool = True
    video: bool = False
    rules: RuleChoices = CUSTOM


def make_measurement(request: BenchRequest) -> Measurement:
    """Return what a request measures.

    Raises:
        InputError: The rules of accuracy are wrong.
    """
    rounds = Rounds(scopes=tuple(request.scopes))
    return Measurement(
        rounds=rounds if request.rounds is None else Rounds(count=request.rounds, scopes=tuple(request.scopes)),
        narrowing=Narrowing() if request.rounds is None else None,
        frame_rate=FrameRate(rate_hz=request.rate_hz, bursts=request.bursts) if request.rate_hz else None,
        loads=LOADS if request.throughput else (),
        processes=request.cold,
        builds=request.builds,
        energy=request.energy,
        video=request.video,
        rules=RuleChoices(request.alignment, request.cap_m, request.crop),
    )


def describe_settings(
    measurement: Measurement,
    ground_truth: Sequence[GroundTruth] = (),
    *,
    count: int | None = None,
    units_per_m: float,
) -> dict[str, str]:
    """Return the settings of a report, by name.

    Args:
        measurement: What is measured.
        ground_truth: Whole data sets.
        count: Images taken of each data set; None takes all.
        units_per_m: Of their depth files.
    """
    frame_rate = measurement.frame_rate
    settings = {
        "video": _yes(measurement.video),
        "rounds": _rounds(measurement),
        "scopes": ", ".join(measurement.rounds.scopes) if measurement.rounds else "none",
        "rate": f"{frame_rate.rate_hz:g} Hz, {frame_rate.bursts} bursts" if frame_rate else "none",
        "throughput": _yes(bool(measurement.loads)),
        "energy": _yes(measurement.energy),
        "cold starts": str(measurement.processes),
        "builds": str(measurement.builds),
    }
    if ground_truth:
        rules = measurement.rules
        settings |= {
            "ground truth": "; ".join(_part(dataset, count) for dataset in ground_truth),
            "depth units": f"{units_per_m:g} a metre, of whole numbers",
            "alignment": rules.alignment or _CUSTOM,
            "cap": _CUSTOM if rules.cap_m is None else f"{rules.cap_m:g} m",
            "crop": rules.crop,
        }
    return settings


def _rounds(measurement: Measurement) -> str:
    rounds, narrowing = measurement.rounds, measurement.narrowing
    if rounds is None:
        return "none"
    text = f"{rounds.count} of {rounds.calls} calls"
    if narrowing is None:
        return text
    return f"{text}, up to {narrowing.most_rounds} until speeds are known to {narrowing.width:.1%}"


def _part(dataset: GroundTruth, count: int | None) -> str:
    taken = len(dataset) if count is None else min(count, len(dataset))
    return f"{dataset.name}, {taken} of {len(dataset)} images"


def _yes(chosen: bool) -> str:
    return "yes" if chosen else "no"
