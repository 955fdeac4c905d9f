"""What is known of a request while it is answered; it becomes a log line and counts."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from uuid import uuid4

from ..infer.stages import Stages

_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")  # of a client, that is taken over
_KEY = "depthrt.record"


@dataclass(slots=True)
class RequestRecord:
    """A request.

    Args:
        id: Of the client, or made here.
        method: Of HTTP.
        start_s: When it came, of perf_counter.
        stages: Times of its stages.
        model: Name of the model that it asked for.
        code: Of its refusal.
        replica: Process that did the work, None if it is this one.
        held_bytes: Of its body and its answer, in memory until the answer is sent.
    """

    id: str
    method: str
    start_s: float = field(default_factory=perf_counter)
    stages: Stages = field(default_factory=Stages)
    model: str | None = None
    code: str | None = None
    replica: str | None = None
    held_bytes: int = 0


def begin_record(scope: MutableMapping[str, Any], headers: Mapping[str, str]) -> RequestRecord:
    """Make the record of a request and keep it in its scope."""
    given = headers.get("x-request-id", "")
    record = RequestRecord(given if _ID.fullmatch(given) else uuid4().hex, scope["method"])
    scope[_KEY] = record
    return record


def record_of(scope: Mapping[str, Any]) -> RequestRecord:
    """Return the record of a request."""
    record: RequestRecord = scope[_KEY]
    return record
