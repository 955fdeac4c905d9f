r"""Conditions between two reports: what must not happen, as a person writes it.

    FIGURE > LIMIT    or    FIGURE < LIMIT

FIGURE is one of figures.FIGURES: p50, kernel.p90, drift, abs_rel, rss, ... (p50 is host.p50).
A LIMIT with a sign is a change from the first report to the second, without a sign the second report's value:

    p50>+5%        the median grew by over 5 %, beyond the growth of the reference that both reports share
    file.p90>+2ms  it grew by over 2 ms, beyond the growth of the reference
    p50>50ms       the median is over 50 ms
    speed<-5%      the speed against the reference fell by over 5 %
    drift>0.5%     the drift is over 0.5 % of the range
    delta1<-1%     delta1 fell by over one point: shares change by points
    abs_rel>+0.01  abs_rel grew by over 0.01
    rss>+50MiB     the process needs over 50 MiB more
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from ...engine.errors import InputError
from ..numbers.figures import FIGURES, MAIN_SCOPE, Figure

_FORM = re.compile(r"\s*([a-z][a-z0-9_.]*)\s*([<>])\s*([+-]?)(\d+(?:\.\d*)?|\.\d+)\s*(%|[A-Za-z/]*)\s*", re.ASCII)
_EXAMPLES = "p50>+5%, kernel.p90>+2ms, drift>0.5%, abs_rel>+0.01, delta1<-1% or rss>+50MiB"


class Named(Protocol):
    """A figure as conditions name it."""

    @property
    def name(self) -> str:
        """Return the name in conditions."""

    @property
    def unit(self) -> str:
        """Return "share" (1 is the whole), another unit, or ""."""


Found = TypeVar("Found", bound=Named)


@dataclass(frozen=True, slots=True)
class Condition(Generic[Found]):
    """A figure against a limit: what must not happen between two reports, or what must hold in one.

    Args:
        text: As written.
        figure: The figure.
        above: Whether the condition is about values above the limit; otherwise about values below it.
        limit: In the figure's unit; if `relative`, a share of the first report's value.
        change: Whether the limit is for the change; otherwise for the second report's value.
        relative: Whether the change is over the first report's value.
    """

    text: str
    figure: Found
    above: bool
    limit: float
    change: bool
    relative: bool


def parse_condition(text: str) -> Condition[Figure]:
    """Read one condition, such as "p50>+5%".

    Raises:
        InputError: The form, the figure or the unit is not understood.
    """
    return read_condition(text, _figure, _EXAMPLES)


def read_condition(text: str, find: Callable[[str, str], Found], examples: str) -> Condition[Found]:
    """Read one condition about figures of any kind.

    Args:
        text: As written.
        find: Returns the figure of a name; takes the name and the whole text, for its InputError.
        examples: Of conditions, for the message.

    Raises:
        InputError: The form, the figure or the unit is not understood.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise InputError(f"condition {text!r} found, expected a figure, > or <, and a limit, such as {examples}")
    name, comparator, sign, number, unit = match.groups()
    figure = find(name, text)
    relative = unit == "%" and figure.unit != "share"
    _check_unit(figure, unit, signed=bool(sign), text=text)
    limit = float(sign + number) / (100 if unit == "%" else 1)
    return Condition(text.strip(), figure, comparator == ">", limit, bool(sign), relative)


def _figure(name: str, text: str) -> Figure:
    figure = FIGURES.get(name) or FIGURES.get(f"{MAIN_SCOPE}.{name}") or FIGURES.get(f"rate.{name}")
    if figure is None:
        raise InputError(f"condition {text!r} is about {name!r}, expected one of {', '.join(FIGURES)}")
    return figure


def _check_unit(figure: Named, unit: str, *, signed: bool, text: str) -> None:
    """Raise InputError if the unit is not the figure's, or a percentage has no sign and the figure is not a share."""
    own = "" if figure.unit == "share" else figure.unit
    if unit == "%" and not signed and figure.unit != "share":
        raise InputError(
            f"condition {text!r}: a percentage of {figure.name} is a change and needs a sign, such as +5%; "
            f"without a sign the limit is the value itself{f', in {own}' if own else ''}"
        )
    if unit not in ("%", own):
        also = f"{own} or %" if own else "no unit or %"
        raise InputError(f"condition {text!r}: unit {unit or 'none'!r} found, expected {also} for {figure.name}")
