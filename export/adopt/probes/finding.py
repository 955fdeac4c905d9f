"""What a probe found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict of a probe.

    Args:
        name: Of the probe, a word.
        passed: Whether the file can be trusted as far as this probe tells.
        sentence: What was found; if it is not passed, also what was expected and what to do.
        figures: Numbers behind the verdict by name.
    """

    name: str
    passed: bool
    sentence: str
    figures: Mapping[str, float] = field(default_factory=dict)
