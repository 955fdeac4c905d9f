"""What `depthrt tune` prints: the candidates, the chosen one, and how to undo it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .printing import print_result, print_table, say

if TYPE_CHECKING:
    from ...bench.run.candidates import Candidate
    from ...bench.run.tune import Tuned

_COLUMNS = ("candidate", "median", "p90", "speed", "drift", "p99", "edge F1", "far", "")


def show_tuned(tuned: Tuned, model: Path, *, threads: int | None, as_json: bool) -> None:
    """Print the candidates, the chosen one, the file that remembers it, and how to undo it.

    Args:
        tuned: Result of tuning.
        model: The model file, as the user gave it.
        threads: As the user gave them.
        as_json: Print JSON instead of the table.
    """
    for note in tuned.notes:
        say(f"note: {note}")
    for candidate in tuned.candidates:
        if candidate.failure:
            say(f"failed: {candidate.choice}: {candidate.failure}")
    if as_json:
        print_result(json.dumps(_as_json(tuned, model)))
    else:
        _show_table(tuned)
    if tuned.written is None:
        say("nothing is remembered, as this machine has no cache that can be written")
        return
    undo = ["depthrt", "tune", str(model), "--forget", *(["--threads", str(threads)] if threads else [])]
    say(f"remembered in {tuned.written}")
    say(f"to undo it: {shlex.join(undo)}")


def show_forgotten(model: Path, removed: Path | None, *, as_json: bool) -> None:
    """Print the file that was removed."""
    if as_json:
        print_result(json.dumps({"path": str(model), "removed": str(removed) if removed else None}))
    else:
        print_result(f"removed {removed}" if removed else f"nothing was remembered for {model} with these threads")


def _show_table(tuned: Tuned) -> None:
    from ...bench.numbers.wording import limit

    images = max((candidate.drift.images for candidate in tuned.candidates if candidate.drift), default=0)
    print_table(
        _COLUMNS,
        [_row(candidate, tuned) for candidate in tuned.candidates],
        title=str(tuned.tuning),
        note=f"Image array to depth array; speed turn by turn against {tuned.default}. Drift over {images} image(s) "
        f"against {tuned.reference}, budget {limit(tuned.tuning.budget)}; far: the farthest quarter.",
        words=("",),
        marked=next((at for at, one in enumerate(tuned.candidates) if one is tuned.chosen), None),
    )


def _row(candidate: Candidate, tuned: Tuned) -> tuple[str, ...]:
    from ...bench.numbers.wording import ABSENT, amount, times

    latency, drift = candidate.latency, candidate.drift
    return (
        str(candidate.choice),
        amount(latency.p50_ms.value if latency else None, "ms"),
        amount(latency.p90_ms.value if latency else None, "ms"),
        times(candidate.speed.value) if candidate.speed else ABSENT,
        amount(drift.mean if drift else None, "share"),
        amount(drift.p99 if drift else None, "share"),
        amount(drift.edge_f1 if drift else None, "share"),
        amount(drift.bands[0].drift if drift else None, "share"),
        _role(candidate, tuned),
    )


def _role(candidate: Candidate, tuned: Tuned) -> str:
    if candidate.failure:
        return "failed"
    roles = ["chosen"] if candidate is tuned.chosen else []
    roles += ["default"] if candidate.choice == tuned.default else []
    roles += ["reference"] if candidate.choice == tuned.reference else []
    roles += [] if candidate.within(tuned.tuning.budget) else ["over budget"]
    return ", ".join(roles)


def _as_json(tuned: Tuned, model: Path) -> Mapping[str, Any]:
    return {
        "path": str(model),
        "chosen": asdict(tuned.chosen.choice),
        "default": asdict(tuned.default),
        "reference": asdict(tuned.reference),
        "budget": tuned.tuning.budget,
        "made": tuned.tuning.made,
        "written": str(tuned.written) if tuned.written else None,
        "notes": list(tuned.notes),
        "candidates": [_candidate(candidate, tuned) for candidate in tuned.candidates],
    }


def _candidate(candidate: Candidate, tuned: Tuned) -> Mapping[str, Any]:
    latency, drift = candidate.latency, candidate.drift
    figures = {
        "median_ms": latency.p50_ms.value if latency else None,
        "p90_ms": latency.p90_ms.value if latency else None,
        "speed": candidate.speed.value if candidate.speed else None,
        "drift": drift.mean if drift else None,
        "drift_p99": drift.p99 if drift else None,
        "drift_far": drift.bands[0].drift if drift else None,
        "edge_f1": drift.edge_f1 if drift else None,
    }
    # JSON has no infinity, which is the drift of an answer with a value that is not finite.
    finite = {name: figure if figure is None or isfinite(figure) else None for name, figure in figures.items()}
    within = candidate.within(tuned.tuning.budget)
    return {**asdict(candidate.choice), **finite, "within_budget": within, "failure": candidate.failure}
