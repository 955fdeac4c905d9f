"""Figures as text: three digits, always with the unit."""

from __future__ import annotations

import math

from ...engine.terms import Precision
from .result import Interval

SMALLEST_SHARE = 1e-5  # smaller shares are rounding
ABSENT = "–"


def amount(value: float | None, unit: str) -> str:
    """Return a value with its unit: "41.2 ms", "0.21 %", "512 MiB".

    Args:
        value: None gives a dash.
        unit: "ms", "MiB", "J", "Hz", "images/s", "" for none, or "share" for a share of a whole, shown in percent.
    """
    if value is None:
        return ABSENT
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "infinite"
    if unit == "share":
        return share(value)
    return f"{digits(value)} {unit}".rstrip()


def share(value: float) -> str:
    """Return a share of a whole in percent, three digits."""
    if not math.isfinite(value):
        return amount(value, "")
    if 0 < abs(value) < SMALLEST_SHARE:
        return f"< {SMALLEST_SHARE * 100:g} %"
    return f"{digits(value * 100)} %"


def limit(value: float) -> str:
    """Return a limit that a person chose, a share of a whole, in percent: all digits that were given."""
    return f"{value * 100:g} %"


def digits(value: float) -> str:
    """Return a number with three digits or all digits before the point; with an exponent only below 0.0001."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    size = math.floor(math.log10(abs(float(f"{value:.3g}"))))  # of 10.0, not of 9.999
    if size < -4:
        return f"{value:.1e}"
    return f"{value:.{max(0, 2 - size)}f}"


def between(interval: Interval, unit: str) -> str:
    """Return an interval: "40.8–41.9 ms"."""
    if unit == "share":
        return f"{digits(interval.low * 100)}–{digits(interval.high * 100)} %"
    return f"{digits(interval.low)}–{digits(interval.high)} {unit}".rstrip()


def times(ratio: float) -> str:
    """Return a factor: "2.1×", "14×"."""
    return f"{ratio:.0f}×" if ratio >= 9.95 else f"{ratio:.2g}×" if ratio < 0.095 else f"{ratio:.{_decimals(ratio)}f}×"


def change(value: float) -> str:
    """Return a change as a signed percentage: "+5.2 %"."""
    return f"{value * 100:+.1f} %" if math.isfinite(value) else amount(value, "")


def reference_notes(precision: Precision) -> tuple[str, ...]:
    """Return what a reader must know of the reference of drift: one sentence, or none for float32."""
    if precision == "fp32":
        return ()
    return (f"The reference is {precision}, so drift is from {precision} and not from float32.",)


def _decimals(ratio: float) -> int:
    """Return the decimals of a factor: 2 near 1, else 1."""
    return 2 if ratio < 2 else 1
