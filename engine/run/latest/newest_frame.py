"""A frame of a live source, and what its depth records of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic

from ...depth.depth import Depth
from ..video.frames import Frame


@dataclass(frozen=True, slots=True)
class NewestFrame(Frame):
    """A frame of a live source.

    Args:
        image: (H, W, 3) uint8, BGR.
        time_s: As in Frame.
        stamp_ns: The source's own stamp, unchanged; else the computer's time of arrival since 1970, in nanoseconds.
        arrived_s: When it came to this process, of the clock that `time.monotonic` reads.
        skipped: Frames that came since the one before was taken, and that this one replaced.
    """

    arrived_s: float = 0.0
    skipped: int = 0

    @property
    def age_ms(self) -> float:
        """Return the time since the frame came."""
        return (monotonic() - self.arrived_s) * 1e3

    def stamped(self, depth: Depth) -> Depth:
        """Return the depth of this frame with its stamp, its age now, and the frames skipped in its provenance."""
        provenance = replace(
            depth.provenance,
            time_s=self.time_s,
            stamp_ns=self.stamp_ns,
            age_ms=self.age_ms,
            skipped=self.skipped,
        )
        return replace(depth, provenance=provenance)
