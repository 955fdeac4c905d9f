"""The adoption of a model file: which file of others it was made from, and what is known against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ..system.field_types import Length, Name, NotNegative, Sentence, Sha256
from ..system.records import Mismatch


@dataclass(frozen=True, slots=True)
class Adoption:
    """Where an adopted file comes from.

    Args:
        source: Repository and revision of the other file, "ORG/NAME@REVISION", or its name.
        sha256: Of the other file; its weights beside it are not in the sum.
        compared: Whether its answers were compared with a checkpoint's.
        drift: From that checkpoint, as `drift` in canary.py returns it; None if it was not compared.
        notes: Probes that the file failed and that were forced, a sentence each; every result has them.
    """

    source: Name
    sha256: Sha256
    compared: bool = False
    drift: NotNegative | None = None
    notes: Annotated[tuple[Sentence, ...], Length(0, 100)] = ()

    def check(self) -> None:
        """Raise Mismatch unless there is a drift if and only if the file was compared."""
        if self.compared and self.drift is None:
            raise Mismatch(".drift", "is null, expected a number where compared is true")
        if not self.compared and self.drift is not None:
            raise Mismatch(".drift", f"is {self.drift:g}, expected null where compared is false")
