"""What the catalog says of Depth Anything 3's networks is what they are."""

from __future__ import annotations

import pytest
import torch

from depthrt.export.catalog import find
from depthrt.export.families.depth_anything3 import DepthAnything3Rules
from depthrt.export.families.entry import CatalogEntry
from depthrt.export.families.published.depth_anything3 import ENTRIES
from depthrt.export.network.depth_anything3.architecture import published
from depthrt.export.network.depth_anything3.network import DepthAnything3


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_weights_and_size_are_those_of_the_network(entry: CatalogEntry) -> None:
    any_view = entry.encoder.startswith("any-view-")
    architecture = published(entry.encoder.removeprefix("any-view-"), any_view=any_view)
    with torch.device("meta"):
        network = DepthAnything3(architecture)
    found = DepthAnything3Rules().conventions(architecture, "depth-anything-3")
    assert architecture.encoder == entry.encoder
    assert entry.parameters == sum(parameter.numel() for parameter in network.parameters())
    assert (entry.base_px, entry.rule) == (found.base_px, found.rule)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("da3metric-large", "da3metric-large"),
        ("depth-anything/DA3MONO-LARGE", "da3mono-large"),
        ("DA3-LARGE-1.1", "da3-large-1.1"),
        ("depth_anything_3_metric_large.safetensors", "da3metric-large"),
        ("geometry_estimation/depth_anything_3_small.safetensors", "da3-small"),
    ],
)
def test_a_repository_and_the_repack_are_found_by_name(name: str, expected: str) -> None:
    entry = find(name)
    assert entry is not None and entry.name == expected


def test_only_the_large_any_view_networks_are_non_commercial() -> None:
    restricted = {entry.name for entry in ENTRIES if entry.licence == "CC-BY-NC-4.0"}
    assert restricted == {"da3-large", "da3-large-1.1", "da3-giant", "da3-giant-1.1"}
