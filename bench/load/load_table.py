"""The figures of a load run as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from .batches import GAIN, BatchCost
from .figures import GOAL_GROWTH, GOAL_RATIO, LoadFigures, Memory, Rates
from .study_way import Way


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells in columns, the first to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def load_rows(loads: Sequence[LoadFigures]) -> str:
    """Return a line for each number of clients."""
    rows: list[tuple[str, ...]] = [("clients", "answers/s", "p50 ms", "p90 ms", "p99 ms", "answers", "503", "errors")]
    for load in loads:
        times = [f"{value:.0f}" for value in (load.p50_ms, load.p90_ms, load.p99_ms)]
        errors = ", ".join(f"{count} x {name}" for name, count in load.errors.items()) or "none"
        rows.append((str(load.clients), f"{load.per_second:.2f}", *times, str(load.answers), str(load.refused), errors))
    return aligned(rows)


def rate_rows(rates: dict[str, Rates]) -> str:
    """Return a line for each way to answer."""
    rows = [("", "a second", "CPU ms each")]
    rows += [(name, f"{found.per_second:.2f}", f"{found.cpu_ms:.0f}") for name, found in rates.items()]
    return aligned(rows)


def ratio_line(ratio: float) -> str:
    """Return the ratio beside its goal."""
    met = "met" if ratio >= GOAL_RATIO else "MISSED"
    return f"service over the faster bare engine, median of the blocks: {ratio:.3f} (goal {GOAL_RATIO}: {met})"


def memory_line(memory: Memory) -> str:
    """Return the growth of memory beside its goal."""
    met = "met" if memory.growth < GOAL_GROWTH else "MISSED"
    return (
        f"memory of the server over {memory.answers} answers: {memory.first_mib:.0f} MiB, then {memory.last_mib:.0f}: "
        f"{memory.growth:+.1%} (goal under {GOAL_GROWTH:.0%}: {met}); peak {memory.peak_mib:.0f} MiB"
    )


def batch_rows(costs: Sequence[BatchCost]) -> str:
    """Return a line for each batch, and whether any gains."""
    if not costs:
        return "batches: the file takes one image at a time"
    rows = [("images of a batch", "ms an image", "CPU ms", "of single")]
    rows += [
        (str(cost.images), f"{cost.ms_per_image:.1f}", f"{cost.cpu_ms_per_image:.1f}", f"{cost.against_single:.2f}")
        for cost in costs
    ]
    gains = min(cost.against_single for cost in costs) < GAIN
    return f"{aligned(rows)}\n{'a batch gains' if gains else 'no batch gains'} (below {GAIN} counts as a gain)"


def way_rows(ways: Sequence[Way]) -> str:
    """Return a line for each way of serving; the first is what the others are compared with."""
    first = ways[0].median_ms
    rows = [("one client, one request after another", "median ms", "times faster")]
    rows += [(way.name, f"{way.median_ms:.0f}", f"{first / way.median_ms:.1f}") for way in ways]
    return aligned(rows)
