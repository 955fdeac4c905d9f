"""What the catalog says of Depth Anything's networks is what they are."""

from __future__ import annotations

import math

import pytest
from official_state import REAL, official_shapes

from depthrt.export.families.depth_anything import DepthAnythingRules
from depthrt.export.families.entry import CatalogEntry
from depthrt.export.families.published.depth_anything import ENTRIES


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_weights_and_size_are_those_of_the_network(entry: CatalogEntry) -> None:
    found = DepthAnythingRules().conventions(REAL[entry.encoder], entry.family)
    assert entry.parameters == sum(math.prod(shape) for shape in official_shapes(REAL[entry.encoder]).values())
    assert (entry.base_px, entry.rule) == (found.base_px, found.rule)
