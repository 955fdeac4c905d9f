"""What `depthrt info` prints of a bag: topics and times, and with what its depth was made."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..file import contract_rows, show_rows
from ..printing import print_result

if TYPE_CHECKING:
    from ....robots.describe import BagFacts, Origin

_SECOND_NS = 10**9


def show_bag(facts: BagFacts, *, as_json: bool) -> None:
    """Print what a bag holds."""
    if as_json:
        print_result(json.dumps(_found(facts)))
        return
    show_rows(facts.path, _rows(facts))
    for line in _topic_lines(facts):
        print_result(f"    {line}")
    for name, value in (_origin_rows(facts.origin) if facts.origin is not None else {}).items():
        print_result(f"  {name:<12} {value}")


def _rows(facts: BagFacts) -> dict[str, str]:
    rows = {"time": _time(facts)}
    if facts.flaw is not None:
        rows["flaw"] = facts.flaw
    rows["messages"] = f"{facts.messages} on {len(facts.topics)} topic{'' if len(facts.topics) == 1 else 's'}"
    return rows


def _origin_rows(origin: Origin) -> dict[str, str]:
    record, made = origin.record, origin.record.made
    counts = f"{record.images} images with depth, {record.failed} failed"
    if record.no_floor:
        counts += f", {record.no_floor} without a floor, so without points"
    rows = {
        "depth of": f"{made.image_topic} in {made.source}, by {record.producer}",
        "on": f"{made.depth_topic}, {made.encoding}, {'metres' if made.unit else f'{made.kind}, no unit'}",
        "state": f"{counts}; {'finished' if record.finished else 'not finished, --resume continues'}",
        "drift": f"{record.drift:.2g} of the range, of the canary where it ran",
    }
    if origin.gate is not None:
        rows["gate"] = f"{origin.gate} (first image)"
    if record.flaw:
        rows["source's flaw"] = record.flaw
    return rows | contract_rows(origin.contract)


def _topic_lines(facts: BagFacts) -> list[str]:
    """Return a line for each topic: messages, rate over the whole bag, name and type."""
    counts = [str(topic.messages) for topic in facts.topics]
    widths = max(map(len, counts), default=0), max((len(topic.name) for topic in facts.topics), default=0)
    return [
        f"{count:>{widths[0]}} {_rate(topic.messages, facts.seconds):>9}  {topic.name:<{widths[1]}}  {topic.type}"
        for topic, count in zip(facts.topics, counts, strict=True)
    ]


def _rate(messages: int, seconds: float) -> str:
    return f"{(messages - 1) / seconds:.1f} Hz" if messages > 1 and seconds > 0 else "-"


def _time(facts: BagFacts) -> str:
    if facts.times_ns is None:
        return "no messages"
    start_ns = facts.times_ns[0]
    start = datetime.fromtimestamp(start_ns // _SECOND_NS, timezone.utc)
    return f"{start:%Y-%m-%d %H:%M:%S}.{start_ns % _SECOND_NS // 10**6:03} UTC, {facts.seconds:.1f} s"


def _found(facts: BagFacts) -> dict[str, Any]:
    """Return all facts for JSON."""
    start_ns, end_ns = facts.times_ns or (None, None)
    return {
        "path": str(facts.path),
        "file": "bag",
        "start_ns": start_ns,
        "end_ns": end_ns,
        "messages": facts.messages,
        "topics": [{"name": one.name, "type": one.type, "messages": one.messages} for one in facts.topics],
        "flaw": facts.flaw,
        "depthrt": None if facts.origin is None else asdict(facts.origin),
    }
