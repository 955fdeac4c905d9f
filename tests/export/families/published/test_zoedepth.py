"""What the catalog says of ZoeDepth's networks is what they are."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from depthrt.export.families.entry import CatalogEntry
from depthrt.export.families.published.zoedepth import ENTRIES
from depthrt.export.families.zoedepth import ZoeDepthRules
from depthrt.export.network.zoedepth.architecture import ON_DEPTH_ANYTHING, Variant, published
from depthrt.export.network.zoedepth.zoedepth import ZoeDepth


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_weights_and_size_are_those_of_the_network(entry: CatalogEntry) -> None:
    known = (*(published(variant) for variant in get_args(Variant)), ON_DEPTH_ANYTHING)
    architecture = next(one for one in known if one.encoder == entry.encoder)
    with torch.device("meta"):
        network = ZoeDepth(architecture)
    found = ZoeDepthRules().conventions(architecture, "zoedepth")
    assert entry.parameters == sum(parameter.numel() for parameter in network.parameters())
    assert (entry.base_px, entry.rule) == (found.base_px, found.rule)
