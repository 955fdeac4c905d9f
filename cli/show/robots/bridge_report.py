"""What `depthrt bridge` prints: what runs, a status a second, each error once, and a summary."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from ....robots.bridge.listener import BridgeListener
from ..printing import print_result, say
from ..progress import say_model

if TYPE_CHECKING:
    from ....engine.model.depth_model import DepthModel
    from ....robots.bridge.listener import Status
    from ....robots.bridge.request import Topics
    from ....robots.bridge.tally import Counts

OTHER_CLOCK_MS = 3_600_000.0  # stamps that are older are of a simulation or of a bag that is played


class BridgeReport(BridgeListener):
    """Prints a bridge.

    Args:
        as_json: Print each status as a line of JSON to standard output instead of a line to standard error.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def started(self, model: DepthModel, topics: Topics, where: str) -> None:
        """Say what runs."""
        say_model(model)
        beside = [name for name in (topics.info, topics.points) if name is not None]
        say(f"{topics.image} -> {', '.join([topics.depth, *beside])}, through {where}; Ctrl-C ends it")

    def status(self, status: Status) -> None:
        """Print a status."""
        if self._as_json:
            print_result(json.dumps(status_object(status)))
        else:
            say(status_line(status))

    def failed(self, error: Exception) -> None:
        """Print an error."""
        say(f"error: {error} (said once, counted as failed)")

    def ended(self, total: Counts) -> None:
        """Print the summary."""
        ages = f", age {_ages(total)}" if total.age_ms else ""
        counts = f"{total.dropped} dropped, {total.lost} lost on the way, {total.failed} failed"
        counts += f", {total.no_floor} without a floor" if total.no_floor else ""
        say(f"{total.seconds:.0f} s: {total.received} images in, {total.published} depths out, {counts}{ages}")


def status_line(status: Status) -> str:
    """Return a status as a line of words."""
    last = status.last
    if status.waits_for and not last.published:
        return f"no image for {status.silent_s:.0f} s: {status.waits_for}"
    ages = f"age {_ages(last)}, {_since_stamp(last)}" if last.age_ms else "age -"
    others = {"lost on the way": last.lost, "failed": last.failed, "without a floor": last.no_floor}
    counts = "".join(f", {count} {name}" for name, count in others.items() if count)
    return f"in {last.rate_in:.1f} Hz, out {last.rate_out:.1f} Hz, {ages}, {last.dropped} dropped{counts}"


def status_object(status: Status) -> dict[str, object]:
    """Return a status as JSON has it."""
    last = asdict(status.last)
    return {
        "time_s": round(status.time_s, 3),
        "in_hz": round(status.last.rate_in, 2),
        "out_hz": round(status.last.rate_out, 2),
        "age_ms": None if last["age_ms"] is None else dict(zip(("p50", "p99"), _rounded(last["age_ms"]), strict=True)),
        "stamp_age_ms": None if last["stamp_age_ms"] is None else round(last["stamp_age_ms"], 1),
        "dropped": last["dropped"],
        "failed": last["failed"],
        "lost": last["lost"],
        "no_floor": last["no_floor"],
        "peers": status.peers,
        "silent_s": round(status.silent_s, 2),
        "waits_for": status.waits_for,
    }


def _ages(counts: Counts) -> str:
    assert counts.age_ms is not None
    return "{:.0f}/{:.0f} ms (p50/p99)".format(*counts.age_ms)


def _since_stamp(counts: Counts) -> str:
    stamp_age_ms = counts.stamp_age_ms
    if stamp_age_ms is None or abs(stamp_age_ms) > OTHER_CLOCK_MS:
        return "stamps of another time"
    return f"since the stamp {stamp_age_ms:.0f} ms"


def _rounded(values: tuple[float, float]) -> tuple[float, ...]:
    return tuple(round(value, 1) for value in values)
