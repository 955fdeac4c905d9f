"""What a run over a bag reports besides its outcomes; light to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..engine.model.depth_model import DepthModel
    from .plan import Plan
    from .writing.record import BagRecord


class BagListener:
    """Hears the events of a run; a subclass overrides the methods that it needs."""

    def started(self, model: DepthModel, plan: Plan, record: BagRecord) -> None:
        """The model is loaded and the work begins; the record says how much an earlier run has done."""

    def ended(self, record: BagRecord) -> None:
        """The bag is whole; after an interrupt its record says that it is not finished."""
