"""What the catalog says of Marigold's networks is what they are."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from made_marigold import tiny_architecture

from depthrt.export.catalog import find
from depthrt.export.families.entry import CatalogEntry
from depthrt.export.families.marigold import MarigoldRules
from depthrt.export.families.published.marigold import ENTRIES, SIDE_PX
from depthrt.export.network.marigold.architecture import PUBLISHED_UNET, PUBLISHED_VAE, Variant
from depthrt.export.network.marigold.marigold import Marigold

VARIANTS: tuple[Variant, ...] = ("v1-1", "v1-0", "lcm")


@pytest.mark.parametrize(("entry", "variant"), list(zip(ENTRIES, VARIANTS, strict=True)))
def test_weights_and_size_are_those_of_the_network(entry: CatalogEntry, variant: Variant) -> None:
    tiny = tiny_architecture(variant)
    architecture = replace(tiny, unet=PUBLISHED_UNET, vae=PUBLISHED_VAE, side_px=SIDE_PX)
    with torch.device("meta"):
        network = Marigold(architecture)
    found = MarigoldRules().conventions(architecture, "marigold")
    assert entry.encoder == architecture.encoder
    assert entry.parameters == sum(parameter.numel() for parameter in network.parameters())
    assert (entry.base_px, entry.rule) == (found.base_px, found.rule)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("marigold-depth-v1-1", "OpenRAIL++-M"),
        ("prs-eth/marigold-v1-0", "Apache-2.0"),
        ("models/Marigold-Depth-LCM-v1-0/", "Apache-2.0"),
        ("Bingxin/Marigold", "Apache-2.0"),
    ],
)
def test_a_folder_is_found_by_its_name_on_the_hub(name: str, expected: str) -> None:
    entry = find(name)
    assert entry is not None and entry.licence == expected
