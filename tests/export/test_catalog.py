"""The catalog knows the published models by any name that people have for their files."""

from __future__ import annotations

import pytest
import torch
from official_state import REAL

from depthrt.export.catalog import CATALOG, find
from depthrt.export.families.entry import CatalogEntry
from depthrt.export.network.depth_anything import DepthAnything

V1, V2 = "depth-anything-v1", "depth-anything-v2"


@pytest.mark.parametrize("entry", CATALOG, ids=lambda entry: entry.name)
def test_the_number_of_weights_is_the_networks(entry: CatalogEntry) -> None:
    with torch.device("meta"):
        network = DepthAnything(REAL[entry.encoder], family=entry.family, max_depth_m=entry.max_depth_m)
    assert entry.parameters == sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("depth_anything_vits14.pth", (V1, "vits", "inverse", None, "Apache-2.0")),
        ("depth_anything_vitl14.pth", (V1, "vitl", "inverse", None, "Apache-2.0")),
        ("depth_anything_v2_vits.pth", (V2, "vits", "inverse", None, "Apache-2.0")),
        ("depth_anything_v2_vitg.pth", (V2, "vitg", "inverse", None, "CC-BY-NC-4.0")),
        ("depth_anything_v2_metric_hypersim_vits.pth", (V2, "vits", "metric", 20.0, "Apache-2.0")),
        ("depth_anything_v2_metric_vkitti_vitl.pth", (V2, "vitl", "metric", 80.0, "CC-BY-NC-4.0")),
        ("LiheYoung/depth-anything-base-hf", (V1, "vitb", "inverse", None, "Apache-2.0")),
        ("depth_anything_vitb14", (V1, "vitb", "inverse", None, "Apache-2.0")),
        ("depth-anything/Depth-Anything-V2-Large", (V2, "vitl", "inverse", None, "CC-BY-NC-4.0")),
        ("Depth-Anything-V2-Metric-Indoor-Base-hf", (V2, "vitb", "metric", 20.0, "CC-BY-NC-4.0")),
        ("downloads/Depth-Anything-V2-Metric-Outdoor-Small-hf/", (V2, "vits", "metric", 80.0, "Apache-2.0")),
        ("DEPTH_ANYTHING_V2_VITB (1).PTH", (V2, "vitb", "inverse", None, "CC-BY-NC-4.0")),
        ("depth_anything_v2_metric_hypersim_vitl_fp32.safetensors", (V2, "vitl", "metric", 20.0, "CC-BY-NC-4.0")),
        ("depth-anything-v2-vits-metric-80m", (V2, "vits", "metric", 80.0, "Apache-2.0")),
    ],
)
def test_a_model_is_found_by_every_name_it_has(name: str, expected: tuple[object, ...]) -> None:
    entry = find(name)
    assert entry is not None
    assert (entry.family, entry.encoder, entry.kind, entry.max_depth_m, entry.licence) == expected


@pytest.mark.parametrize(
    "name",
    [
        "",
        "model.safetensors",
        "depth_anything_v2_vits_finetuned.pth",
        "depth_anything_metric_depth_indoor.pt",
        "dpt_large_384.pt",
    ],
)
def test_other_names_are_not_found(name: str) -> None:
    assert find(name) is None


def test_no_two_models_share_a_name() -> None:
    names = [name for entry in CATALOG for name in (entry.name, entry.file_name, *entry.repositories)]
    assert len(set(names)) == len(names)
    assert all(find(name) is entry for entry in CATALOG for name in (entry.name, entry.file_name, *entry.repositories))


def test_a_metric_model_has_a_maximum_and_no_other_has() -> None:
    assert all((entry.kind == "metric") == (entry.max_depth_m is not None) for entry in CATALOG)


def test_only_what_is_published_has_a_repository() -> None:
    assert all(entry.published == bool(entry.repositories) for entry in CATALOG)
