"""The depth of a live frame carries the frame's stamp, its age and the frames that were skipped."""

from __future__ import annotations

from time import monotonic

import numpy as np
from made_depth import PROVENANCE, surface

from depthrt.engine.run.latest.newest_frame import NewestFrame

STAMP_NS = 1_700_000_000_123_456_789  # float64 would round it


def test_a_depth_is_stamped_and_keeps_the_rest() -> None:
    frame = NewestFrame(np.zeros((24, 37, 3), np.uint8), 1.5, STAMP_NS, monotonic() - 0.25, skipped=3)
    depth = surface("metric")
    found = frame.stamped(depth)
    provenance = found.provenance
    assert (provenance.stamp_ns, provenance.skipped, provenance.time_s) == (STAMP_NS, 3, 1.5)
    assert provenance.age_ms is not None and 250 <= provenance.age_ms <= frame.age_ms
    assert found.values is depth.values and provenance.model == PROVENANCE.model
