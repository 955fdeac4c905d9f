"""What the catalog says of MiDaS' networks is what they are."""

from __future__ import annotations

import pytest
import torch

from depthrt.export.families.entry import CatalogEntry
from depthrt.export.families.midas import MidasArchitecture, MidasRules
from depthrt.export.families.published.midas import ENTRIES
from depthrt.export.network.midas.architecture import PUBLISHED as TRANSFORMERS
from depthrt.export.network.midas.swin.architecture import PUBLISHED as SWIN
from depthrt.export.network.midas.v21.architecture import PUBLISHED_LARGE, PUBLISHED_SMALL

RULES = MidasRules()
PUBLISHED: dict[str, MidasArchitecture] = {
    **TRANSFORMERS,
    **SWIN,
    "midas_v21_384": PUBLISHED_LARGE,
    "midas_v21_small_256": PUBLISHED_SMALL,
}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_weights_and_size_are_those_of_the_network(entry: CatalogEntry) -> None:
    architecture = PUBLISHED[entry.encoder]
    with torch.device("meta"):
        network = RULES.make(architecture, family="midas", kind="inverse", max_depth_m=None)
    found = RULES.conventions(architecture, "midas")
    assert entry.parameters == sum(parameter.numel() for parameter in network.parameters())
    assert (entry.base_px, entry.rule) == (found.base_px, found.rule)
