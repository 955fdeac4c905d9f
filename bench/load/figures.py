"""What a load run found: of the service, of the bare engine in the same run, and of memory; and the goals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from .bare_engine import Bare
from .clients import Load

GOAL_RATIO = 0.9  # of the bare engine's throughput
GOAL_GROWTH = 0.05  # of the server's memory
_SETTLED_ANSWERS = 200  # before which the server's memory still grows to what it needs
_TENTH = 10


@dataclass(frozen=True, slots=True)
class LoadFigures:
    """Figures of concurrent clients.

    Args:
        clients: That asked at once.
        answers: That hold depth.
        refused: Honest 503.
        errors: Every other answer and how often it came; the goal is none.
        per_second: Answers a second.
        p50_ms, p90_ms, p99_ms: From the request to its whole answer, as a client sees it; NaN without answers.
    """

    clients: int
    answers: int
    refused: int
    errors: Mapping[str, int]
    per_second: float
    p50_ms: float
    p90_ms: float
    p99_ms: float


def figures_of(load: Load, *, per_second: float | None = None) -> LoadFigures:
    """Return the figures of a load; the throughput of several loads that were joined must be given."""
    rate = load.per_second if per_second is None else per_second
    times = [load.latency_ms(rank) for rank in (50, 90, 99)]
    return LoadFigures(load.clients, len(load.good), load.refused, Counter(load.errors), rate, *times)


def joined(loads: Sequence[Load]) -> Load:
    """Return several loads of the same number of clients as one, for its counts and times; its rate means nothing."""
    answers = tuple(answer for load in loads for answer in load.answers)
    return Load(
        loads[0].clients, answers, loads[0].begun_s, loads[-1].until_s, sum(load.clients_cpu_s for load in loads)
    )


@dataclass(frozen=True, slots=True)
class Block:
    """One turn of the service and of the bare engine.

    Args:
        load: Of the service.
        server_cpu_s: CPU time of the server meanwhile.
        bare: The engine, its images in as many threads as the service has workers.
        in_turn: The engine, one image after another.
    """

    load: Load
    server_cpu_s: float
    bare: Bare
    in_turn: Bare

    @property
    def ratio(self) -> float:
        """Return the service's throughput over that of the faster bare engine."""
        best = max(self.bare.per_second, self.in_turn.per_second)
        return self.load.per_second / best if best else 0.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Throughput and CPU time of one way to answer, over all blocks.

    Args:
        per_second: Median over the blocks.
        cpu_ms: CPU time for each answer, of all threads.
    """

    per_second: float
    cpu_ms: float


def rates_of(blocks: Sequence[Block]) -> dict[str, Rates]:
    """Return the rates of the service, whose CPU time is the server's, and of the bare engine."""
    answers = max(1, sum(len(block.load.answers) for block in blocks))
    service = Rates(
        median(block.load.per_second for block in blocks), sum(block.server_cpu_s for block in blocks) / answers * 1e3
    )
    return {
        "service": service,
        "bare engine, as many threads as the service": _rates([block.bare for block in blocks]),
        "bare engine, one image after another": _rates([block.in_turn for block in blocks]),
    }


def clients_cpu_ms(load: Load) -> float:
    """Return the CPU time of the clients for each answer."""
    return load.clients_cpu_s / max(1, len(load.answers)) * 1e3


def _rates(bares: Sequence[Bare]) -> Rates:
    images = sum(bare.images for bare in bares)
    return Rates(median(bare.per_second for bare in bares), sum(bare.cpu_s for bare in bares) / images * 1e3)


@dataclass(frozen=True, slots=True)
class Memory:
    """The server's memory over its requests.

    Args:
        answers: Of the server in this run.
        first_mib, last_mib: Median of the first and of the last tenth of the samples once it has settled.
        peak_mib: The most it ever had.
    """

    answers: int
    first_mib: float
    last_mib: float
    peak_mib: float

    @property
    def growth(self) -> float:
        """Return the growth from the first to the last tenth."""
        return self.last_mib / self.first_mib - 1 if self.first_mib else 0.0


def memory_of(samples: Sequence[tuple[int, float]], peak_mib: float) -> Memory:
    """Return the memory of samples (answers so far, MiB); short runs begin at their first sample."""
    warm = [mib for answers, mib in samples if answers >= _SETTLED_ANSWERS] or [mib for _, mib in samples]
    part = max(1, len(warm) // _TENTH)
    return Memory(samples[-1][0], median(warm[:part]), median(warm[-part:]), peak_mib)
