"""The row of depthrt's own networks: told by their tensors, without attention."""

from __future__ import annotations

from depthrt.export.families.table import rules_of
from depthrt.export.network.architecture import ConvArchitecture

CONVOLUTIONS = ConvArchitecture(widths=(8, 16, 24, 32), depths=(1, 1, 2, 1), features=8)


def test_a_file_of_depthrt_needs_no_options_and_has_no_attention() -> None:
    rules = rules_of("depthrt")
    assert not rules.conventions(CONVOLUTIONS, "depthrt").attention
    assert not rules.has_bound(CONVOLUTIONS, "inverse")


def test_the_short_side_is_a_multiple_of_the_patch() -> None:
    assert min(rules_of("depthrt").conventions(CONVOLUTIONS, "depthrt").base_px) % CONVOLUTIONS.patch_px == 0
