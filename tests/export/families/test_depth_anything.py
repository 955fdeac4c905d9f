"""Depth Anything's row: what V1 and V2 share, and what tells them apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from official_state import REAL

from depthrt.engine.errors import InputError
from depthrt.export.families.table import rules_of

RULES = rules_of("depth-anything-v2")


def test_v1_and_v2_differ_in_the_last_resize_only() -> None:
    first, second = (RULES.conventions(REAL["vits"], family) for family in ("depth-anything-v1", "depth-anything-v2"))
    assert (first.final_resize, second.final_resize) == ("bilinear_centres", "bilinear_corners")
    assert replace(first, final_resize=second.final_resize) == second


def test_a_metric_v1_is_refused_by_what_it_is() -> None:
    with pytest.raises(InputError, match="the metric models of V1 are ZoeDepth networks"):
        RULES.check_options("depth-anything-v1", "metric", 20.0)


def test_blocks_that_were_guessed_are_said_of_v2_only() -> None:
    nine = replace(REAL["vits"], depth=9)
    assert "the head is taken to read blocks 2, 4, 6, 9" in RULES.remarks(nine, "depth-anything-v2")[0]
    assert RULES.remarks(nine, "depth-anything-v1") == RULES.remarks(REAL["vits"], "depth-anything-v2") == ()
