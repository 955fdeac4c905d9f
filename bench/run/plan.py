"""What a run measures, and how its report says what was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..accuracy.ground_truth import GroundTruth
from ..accuracy.judge import AS_IS_CUSTOM, Asked
from ..accuracy.true_depth import MM_PER_M
from ..latency.narrowing import Narrowing
from ..latency.rate import RatePlan
from ..latency.throughput import LOADS, Load
from ..latency.turns import Plan

_CUSTOM = "the data set's custom"


def describe_settings(
    plan: BenchPlan,
    ground_truth: Sequence[GroundTruth] = (),
    *,
    count: int | None = None,
    units_per_m: float = MM_PER_M,
) -> dict[str, str]:
    """Return the settings of a report, by name.

    Args:
        plan: What is measured.
        ground_truth: Whole data sets.
        count: Images taken of each of them; None takes all.
        units_per_m: Of their depth files.
    """
    found = {
        "video": _yes(plan.video),
        "rounds": _rounds(plan),
        "scopes": ", ".join(plan.latency.scopes) if plan.latency else "none",
        "rate": f"{plan.rate.rate_hz:g} Hz, {plan.rate.bursts} bursts" if plan.rate else "none",
        "throughput": _yes(bool(plan.loads)),
        "energy": _yes(plan.energy),
        "cold starts": str(plan.processes),
        "builds": str(plan.builds),
    }
    if ground_truth:
        asked = plan.asked
        found |= {
            "ground truth": "; ".join(_part(one, count) for one in ground_truth),
            "depth units": f"{units_per_m:g} a metre, of whole numbers",
            "alignment": asked.alignment or _CUSTOM,
            "cap": _CUSTOM if asked.cap_m is None else f"{asked.cap_m:g} m",
            "crop": asked.crop,
        }
    return found


def _rounds(plan: BenchPlan) -> str:
    latency, narrowing = plan.latency, plan.narrowing
    if latency is None:
        return "none"
    rounds = f"{latency.rounds} of {latency.calls} calls"
    if narrowing is None:
        return rounds
    return f"{rounds}, up to {narrowing.most_rounds} until speeds are known to {narrowing.width:.1%}"


def _part(dataset: GroundTruth, count: int | None) -> str:
    taken = len(dataset) if count is None else min(count, len(dataset))
    return f"{dataset.name}, {taken} of {len(dataset)} images"


def _yes(chosen: bool) -> str:
    return "yes" if chosen else "no"


Step = Callable[[str, int, int], None]  # what is done, steps done of it, steps wanted


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """What is measured of every subject.

    Args:
        latency: Rounds, calls and scopes; None leaves times out.
        narrowing: When rounds beyond those end; None makes those of `latency` alone.
        rate: Frames that arrive at a fixed rate; None leaves them out.
        loads: Batches and streams of the throughput; empty leaves it out.
        processes: Fresh ones of the cold start; 0 leaves it out.
        builds: Times that a subject is loaded anew; 0 leaves it out.
        energy: Whether energy is measured where something counts it.
        video: Whether the images follow each other in time.
        asked: How accuracy is judged.
    """

    latency: Plan | None = field(default_factory=Plan)
    narrowing: Narrowing | None = field(default_factory=Narrowing)
    rate: RatePlan | None = field(default_factory=RatePlan)
    loads: tuple[Load, ...] = LOADS
    processes: int = 3
    builds: int = 0
    energy: bool = True
    video: bool = False
    asked: Asked = AS_IS_CUSTOM
