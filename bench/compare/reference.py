"""The growth of a time between two reports beyond the growth of their reference, which shows the machine's part.

The reference decodes, prepares and writes with the same code as the other subjects, so only its network shows the
machine and nothing else. If the rest of the reference clearly grew beyond its network, that code grew slower, and its
growth is not taken off. A network on a GPU shows nothing of the CPU around it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from ..numbers.figures import Figure, latency_in, speed
from ..numbers.result import Interval, Latency, Report, SubjectResult
from ..numbers.statistics import ALARM, summarise
from ..subjects.subject import CPU_PROVIDERS
from .change import relative_change

NETWORK = "kernel"  # the scope of the network
_SCOPES = (NETWORK, "host", "file")  # not "rate": its times depend on when frames arrive


@dataclass(frozen=True, slots=True)
class Reference:
    """The subject that both reports measured their others against, turn by turn.

    Args:
        before, after: Its results.
    """

    before: SubjectResult
    after: SubjectResult

    @property
    def name(self) -> str:
        """Return the subject's name."""
        return self.after.name

    def moved(self, figure: Figure) -> Interval | None:
        """Return the growth of a time of the reference; None if the figure is not judged by it."""
        return self._grown(*_parts(figure))

    def network_moved(self, figure: Figure) -> Interval | None:
        """Return the growth of the same figure of the reference's network; None if that was not measured."""
        return self._grown(NETWORK, _parts(figure)[1])

    def shared_code_grew(self, figure: Figure) -> bool:
        """Whether a time of the reference clearly grew by the clock and beyond its network's, measured beside it.

        The clock is needed too: if only the network became faster, the rest did not become slower.
        """
        if self.after.facts.get("provider", "cpu") not in CPU_PROVIDERS:
            return False
        own, beyond = self.moved(figure), self.take_off_network(figure, self.before, self.after)
        return own is not None and beyond is not None and own.low > 0 and beyond.low > ALARM

    def take_off(self, figure: Figure, before: SubjectResult, after: SubjectResult) -> Interval | None:
        """Return the growth of a subject's time beyond the reference's; None if the two cannot be compared.

        Medians are compared turn by turn, other figures as wholes.

        Args:
            figure: Of latency.
            before, after: The subject's results.
        """
        return self._beyond(_parts(figure)[0], figure, before, after)

    def take_off_network(self, figure: Figure, before: SubjectResult, after: SubjectResult) -> Interval | None:
        """Return the growth of a subject's time beyond that of the reference's network; as take_off."""
        return self._beyond(NETWORK, figure, before, after)

    def _grown(self, scope: str, what: str) -> Interval | None:
        before, after = latency_in(self.before, scope), latency_in(self.after, scope)
        if scope not in _SCOPES or before is None or after is None:
            return None
        return relative_change(_of(before, what), _of(after, what))

    def _beyond(self, base: str, figure: Figure, before: SubjectResult, after: SubjectResult) -> Interval | None:
        """Return the growth of a subject's time beyond the reference's in the scope `base`."""
        scope, what = _parts(figure)
        if scope not in _SCOPES:
            return None
        ratios = []
        for reference, subject in ((self.before, before), (self.after, after)):
            base_latency, latency = latency_in(reference, base), latency_in(subject, scope)
            if base_latency is None or latency is None:
                return None
            ratios.append(_ratio(base_latency, latency, what))
        return relative_change(*ratios)


def find_reference(before: Report, after: Report) -> Reference | None:
    """Return the reference that two reports share, None if they share none."""
    if not before.reference or before.reference != after.reference:
        return None
    found = [subject for report in (before, after) for subject in report.subjects if subject.name == report.reference]
    return Reference(*found) if len(found) == 2 and not any(subject.failure for subject in found) else None


def is_judged_beyond(figure: Figure) -> bool:
    """Whether a figure is a time whose change is judged by its growth beyond a reference's."""
    return _parts(figure)[0] in _SCOPES


def _parts(figure: Figure) -> tuple[str, str]:
    """Return the scope and the statistic of a figure of latency: "host" and "p50"."""
    scope, _, what = figure.name.partition(".")
    return scope, what


def _of(latency: Latency, what: str) -> Interval:
    found: Interval = getattr(latency, f"{what}_ms")
    return found


def _ratio(base: Latency, found: Latency, what: str) -> Interval:
    """Return a time over a time of the same run."""
    if base.scope != found.scope:  # the main scope may have further rounds, in which the machine's speed may differ
        base, found = _same_rounds(base, found)
    if what == "p50":
        faster = speed(base, found)
        return Interval(1 / faster.value, 1 / faster.high, 1 / faster.low)
    grown = relative_change(_of(base, what), _of(found, what))
    return Interval(1 + grown.value, 1 + grown.low, 1 + grown.high)


def _same_rounds(base: Latency, found: Latency) -> tuple[Latency, Latency]:
    """Return both without the last rounds that only one of them has."""
    count, rounds = min(len(base.samples_ms), len(found.samples_ms)), min(base.rounds, found.rounds)
    return _first_rounds(base, count, rounds), _first_rounds(found, count, rounds)


def _first_rounds(latency: Latency, count: int, rounds: int) -> Latency:
    """Return the latency of the first `rounds` rounds, which have `count` samples."""
    if count == len(latency.samples_ms) or not rounds:
        return latency
    samples = latency.samples_ms[:count]
    now = summarise(samples, per_round=count // rounds)
    figures = {f"{field.name}_ms": getattr(now, field.name) for field in fields(now)}
    return replace(latency, samples_ms=samples, rounds=rounds, **figures)
