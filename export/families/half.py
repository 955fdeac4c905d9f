"""Measured drift of published networks in half precision: what is refused, with its figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ...engine.errors import InputError
from ...engine.terms import Precision

HALF_PRECISIONS: tuple[Precision, ...] = ("fp16", "fp16-safe", "bf16")
MOST_DRIFT = 5e-3  # of the range, in the mean over photographs; as parity.TOLERANCE of fp16


@dataclass(frozen=True, slots=True)
class HalfDrift:
    """Drift of one published network in one precision from float32, over a set of photographs.

    Args:
        encoder: As its architecture calls it.
        precision: "fp16", "fp16-safe" or "bf16".
        images: Number of photographs.
        drift: Mean |difference| over the range, mean of the photographs; 0 if an answer was not finite.
        worst: Of one photograph.
        not_finite: Photographs whose answer was not finite everywhere.
        most: Largest drift that is allowed.
    """

    encoder: str
    precision: Precision
    images: int
    drift: float
    worst: float
    not_finite: int = 0
    most: float = MOST_DRIFT

    @property
    def allowed(self) -> bool:
        """Whether the network may be exported in the precision."""
        return self.not_finite == 0 and self.drift <= self.most

    def __str__(self) -> str:
        """Return the figures for people."""
        if self.not_finite:
            return f"{self.not_finite} of {self.images} photographs gave values that are not finite"
        return f"mean drift {self.drift:.1e} of the range over {self.images} photographs, at most {self.worst:.1e}"


def refuse_half(
    encoder: str, precision: Precision, measured: Iterable[HalfDrift], *, only_measured: bool = False
) -> None:
    """Refuse a precision whose measured drift is too large; what was not measured is left to the parity check.

    Args:
        encoder: As the network's architecture calls it.
        precision: Asked for.
        measured: Of the family.
        only_measured: Refuse a half precision that was not measured, too.

    Raises:
        InputError: With the figures, and the precisions that were measured and are allowed.
    """
    own = [figures for figures in measured if figures.encoder == encoder]
    found = next((figures for figures in own if figures.precision == precision), None)
    if found is None and only_measured and precision in HALF_PRECISIONS:
        raise InputError(
            f"{precision} of {encoder} is not exported: its drift over photographs was not measured; use --precision "
            "fp32"
        )
    if found is None or found.allowed:
        return
    others = [f"--precision {figures.precision}" for figures in own if figures.allowed] or ["--precision fp32"]
    raise InputError(f"{precision} of {encoder} is not exported: {found}; use {' or '.join(others)}")
