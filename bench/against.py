"""How a time changed between two reports, with what the machine itself changed taken off: by their reference."""

from __future__ import annotations

from dataclasses import dataclass

from .change import relative_change
from .figures import Figure, latency_in
from .result import Interval, Report, SubjectResult
from .summary import speed

_SCOPES = ("kernel", "host", "file")  # a frame that arrives at a rate waits for it, whatever the machine does


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
        """Return how much a time of the reference itself grew, None where it tells nothing of the figure."""
        scope, _, _ = figure.name.partition(".")
        before, after = figure.read(self.before), figure.read(self.after)
        if scope not in _SCOPES or not before or not after:
            return None
        return relative_change(before[""], after[""])

    def take_off(self, figure: Figure, before: SubjectResult, after: SubjectResult) -> Interval | None:
        """Return how much a subject's time grew beyond the reference's, None where the two cannot be compared.

        Medians are compared turn by turn, other figures as a whole.

        Args:
            figure: Of latency.
            before, after: The subject's results.
        """
        if self.moved(figure) is None or not figure.read(before) or not figure.read(after):
            return None
        scope, _, what = figure.name.partition(".")
        if what == "p50":
            speeds = [_speed(one, other, scope) for one, other in ((self.before, before), (self.after, after))]
            return relative_change(*map(_inverse, speeds))
        shares = [_share(figure, one, other) for one, other in ((self.before, before), (self.after, after))]
        return relative_change(*shares)


def find_reference(before: Report, after: Report) -> Reference | None:
    """Return the reference that two reports share, None where they share none."""
    if not before.reference or before.reference != after.reference:
        return None
    found = [one for report in (before, after) for one in report.subjects if one.name == report.reference]
    return Reference(*found) if len(found) == 2 and not any(one.failure for one in found) else None


def _speed(reference: SubjectResult, subject: SubjectResult, scope: str) -> Interval:
    base, found = latency_in(reference, scope), latency_in(subject, scope)
    assert base is not None and found is not None
    return speed(base, found)


def _inverse(ratio: Interval) -> Interval:
    return Interval(1 / ratio.value, 1 / ratio.high, 1 / ratio.low)


def _share(figure: Figure, reference: SubjectResult, subject: SubjectResult) -> Interval:
    """Return a subject's time over the reference's."""
    grown = relative_change(figure.read(reference)[""], figure.read(subject)[""])
    return Interval(1 + grown.value, 1 + grown.low, 1 + grown.high)
