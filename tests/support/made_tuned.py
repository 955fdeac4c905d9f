"""A result of tuning of four candidates; times are drawn, not measured."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from made_report import drawn_times, make_drift, make_latency

from depthrt.bench.numbers.result import Interval
from depthrt.bench.run.candidates import Candidate
from depthrt.bench.run.tune import Tuned
from depthrt.engine.runners.choice import Choice
from depthrt.engine.runners.tuning import Tuning

PLAIN, FAST = Choice("onnxruntime", "fp32", 2), Choice("openvino", "bf16", 2)
COARSE, BROKEN = Choice("onnxruntime", "int8", 2), Choice("openvino", "fp32", 2)
BUDGET = 0.005


def make_candidate(choice: Choice, ms: float, speed: float, drift: float) -> Candidate:
    latency = make_latency("host", drawn_times(ms, 3))
    interval = Interval(speed, speed * 0.98, speed * 1.02)
    return Candidate(choice, latency=latency, speed=interval, drift=make_drift(drift))


@cache
def make_tuned() -> Tuned:
    """Return the default, which is the reference too; the chosen candidate; one over budget; one that failed."""
    plain, fast = make_candidate(PLAIN, 60.0, 1.0, 0.0), make_candidate(FAST, 30.0, 2.0, 0.004)
    coarse = make_candidate(COARSE, 20.0, 3.0, 0.02)
    broken = Candidate(BROKEN, failure="it fails in a fresh process: [core dumped]")
    tuning = Tuning(FAST, 2.0, 0.004, BUDGET, "2026-11-21T12:00:00+00:00", ())
    candidates = (plain, fast, coarse, broken)
    return Tuned(candidates, fast, PLAIN, PLAIN, tuning, Path("cache/choices/1a.json"), ("The machine was loaded.",))
