"""How long each stage of a request took."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Literal, get_args

Stage = Literal["upload", "wait", "decode", "prepare", "run", "finish", "encode"]
STAGES: tuple[Stage, ...] = get_args(Stage)


class Stages:
    """Times of a request by stage; a stage that it never reached has none."""

    def __init__(self) -> None:
        self.seconds: dict[Stage, float] = {}

    @contextmanager
    def time(self, stage: Stage) -> Iterator[None]:
        """Add the time of the block to a stage."""
        start = perf_counter()
        try:
            yield
        finally:
            self.add(stage, perf_counter() - start)

    def add(self, stage: Stage, seconds: float) -> None:
        """Add a time to a stage."""
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    def to_ms(self) -> dict[str, float]:
        """Return the times in ms, rounded."""
        return {stage: round(seconds * 1e3, 2) for stage, seconds in self.seconds.items()}

    def server_timing(self) -> str:
        """Return the value of the header Server-Timing, which browsers show."""
        return ", ".join(f"{stage};dur={ms:g}" for stage, ms in self.to_ms().items())
