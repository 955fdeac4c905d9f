"""Claims differ where both give a value, and nowhere else."""

from __future__ import annotations

from depthrt.export.families.claim import Claim


def test_only_what_both_give_can_differ() -> None:
    first = Claim("a", "depth-anything-v2", "metric", 20.0)
    assert first.differences(Claim("b", "depth-anything-v2", None, 80.0)) == ["max_depth_m"]
    assert first.differences(Claim("b", licence="MIT")) == []
