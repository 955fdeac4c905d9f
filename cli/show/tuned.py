"""What `depthrt tune` prints, and how `depthrt info` says what is remembered for a file."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .bench import PIPE_WIDTH
from .printing import say

if TYPE_CHECKING:
    from ...bench.run.candidates import Candidate
    from ...bench.run.tune import Tuned

_COLUMNS = ("candidate", "median", "p90", "speed", "drift", "p99", "edge F1", "far", "")


def show_tuned(tuned: Tuned, model: Path, *, undo: str, as_json: bool) -> None:
    """Print what was measured, what was chosen, where that is written and how to undo it."""
    for note in tuned.notes:
        say(f"note: {note}")
    for one in tuned.candidates:
        if one.failure:
            say(f"failed: {one.choice}: {one.failure}")
    if as_json:
        click.echo(json.dumps(_as_json(tuned, model)))
    else:
        _show_table(tuned)
    if tuned.written is None:
        say("nothing is remembered, as this machine has no cache that can be written")
        return
    say(f"remembered in {tuned.written}")
    say(f"to undo it: {undo}")


def show_forgotten(model: Path, removed: Path | None, *, as_json: bool) -> None:
    """Print what was removed."""
    if as_json:
        click.echo(json.dumps({"path": str(model), "removed": str(removed) if removed else None}))
    else:
        click.echo(f"removed {removed}" if removed else f"nothing was remembered for {model} with these threads")


def _show_table(tuned: Tuned) -> None:
    from rich.console import Console
    from rich.table import Table

    images = max((one.drift.images for one in tuned.candidates if one.drift), default=0)
    table = Table(
        title=str(tuned.tuning),
        title_justify="left",
        caption=f"Image array to depth array; speed turn by turn against {tuned.default}. Drift over {images} image(s) "
        f"against {tuned.reference}, budget {100 * tuned.tuning.budget:g} %; far: the farthest quarter.",
        caption_justify="left",
    )
    for column in _COLUMNS:
        table.add_column(column, justify="left" if column in (_COLUMNS[0], "") else "right", overflow="fold")
    for one in tuned.candidates:
        table.add_row(*_row(one, tuned), style="bold" if one is tuned.chosen else None)
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)


def _row(one: Candidate, tuned: Tuned) -> tuple[str, ...]:
    from ...bench.numbers.wording import ABSENT, amount, times

    latency, drift = one.latency, one.drift
    return (
        str(one.choice),
        amount(latency.p50_ms.value if latency else None, "ms"),
        amount(latency.p90_ms.value if latency else None, "ms"),
        times(one.speed.value) if one.speed else ABSENT,
        amount(drift.mean if drift else None, "share"),
        amount(drift.p99 if drift else None, "share"),
        amount(drift.edge_f1 if drift else None, "share"),
        amount(drift.bands[0].drift if drift else None, "share"),
        _role(one, tuned),
    )


def _role(one: Candidate, tuned: Tuned) -> str:
    if one.failure:
        return "failed"
    roles = ["chosen"] if one is tuned.chosen else []
    roles += ["default"] if one.choice == tuned.default else []
    roles += ["reference"] if one.choice == tuned.reference else []
    roles += [] if one.within(tuned.tuning.budget) else ["over budget"]
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
        "candidates": [_candidate(one, tuned) for one in tuned.candidates],
    }


def _candidate(one: Candidate, tuned: Tuned) -> Mapping[str, Any]:
    latency, drift = one.latency, one.drift
    figures = {
        "median_ms": latency.p50_ms.value if latency else None,
        "p90_ms": latency.p90_ms.value if latency else None,
        "speed": one.speed.value if one.speed else None,
        "drift": drift.mean if drift else None,
        "drift_p99": drift.p99 if drift else None,
        "drift_far": drift.bands[0].drift if drift else None,
        "edge_f1": drift.edge_f1 if drift else None,
    }
    # JSON has no infinity, which is how far an answer that is no number is off.
    finite = {name: found if found is None or isfinite(found) else None for name, found in figures.items()}
    within = one.within(tuned.tuning.budget)
    return {**asdict(one.choice), **finite, "within_budget": within, "failure": one.failure}
