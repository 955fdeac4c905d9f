"""What a run reports besides its outcomes; light to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ..images.walk import LeftOut
    from ..model.depth_model import DepthModel


@dataclass(frozen=True, slots=True)
class Part:
    """All images of a run, or one video: what has a progress bar.

    Args:
        title: Name for people.
        steps: Number of images or frames; None if it is unknown.
        resumable: Whether a run that was interrupted in this part continues there with `resume`.
    """

    title: str
    steps: int | None
    resumable: bool


class Listener:
    """Hears the events of a run; a subclass overrides the methods that it needs."""

    def left_out(self, left_out: LeftOut) -> None:
        """Folders and patterns hold more than what is run."""

    def started(self, model: DepthModel, *, skipped: int, stale: int) -> None:
        """The model is loaded; `skipped` inputs have their outputs already, `stale` those of another model or style."""

    def began(self, part: Part) -> None:
        """A part of the run begins."""

    def sheet_written(self, path: Path, *, left_out: int) -> None:
        """The sheet is written; `left_out` images did not fit on it."""
