"""What a bridge reports while it runs; light to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...engine.model.depth_model import DepthModel
    from .request import Topics
    from .tally import Counts


@dataclass(frozen=True, slots=True)
class Status:
    """How a bridge does.

    Args:
        time_s: Since it began.
        last: Counts since the status before.
        peers: Routers and peers of Zenoh that it is connected to.
        silent_s: Time since an image came.
        waits_for: Why nothing comes, in words; None while images come.
    """

    time_s: float
    last: Counts
    peers: int
    silent_s: float
    waits_for: str | None


class BridgeListener:
    """Hears the events of a bridge; a subclass overrides the methods that it needs."""

    def started(self, model: DepthModel, topics: Topics, where: str) -> None:
        """The model is loaded and the topics are open; `where` is the session's place."""

    def status(self, status: Status) -> None:
        """Once a second, in a thread."""

    def failed(self, error: Exception) -> None:
        """An image has no depth; called once for each text of an error."""

    def ended(self, total: Counts) -> None:
        """The bridge has stopped."""
