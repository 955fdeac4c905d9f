"""What one source says of a model: the options, a record, a config.json, a name, the tensors themselves."""

from __future__ import annotations

from dataclasses import dataclass

from ...engine.terms import Family, Kind

FIELDS = ("family", "kind", "max_depth_m")


@dataclass(frozen=True, slots=True)
class Claim:
    """What one source says of a model; None for what it does not say.

    Args:
        source: For people: "config.json", "its own record".
        family: "depth-anything-v1", "midas", ...
        kind: "inverse", "metric", ...
        max_depth_m: Upper end of a metric model's output.
        licence: Of the weights.
    """

    source: str
    family: Family | None = None
    kind: Kind | None = None
    max_depth_m: float | None = None
    licence: str | None = None

    def differences(self, other: Claim) -> list[str]:
        """Return the names of the fields that both claims give, with different values."""
        pairs = {name: (getattr(self, name), getattr(other, name)) for name in FIELDS}
        return [name for name, (mine, theirs) in pairs.items() if None not in (mine, theirs) and mine != theirs]
