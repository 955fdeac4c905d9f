"""The catalog knows the published models by any name that people have for their files."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from official_state import REAL

from depthrt.engine.terms import Family
from depthrt.export.catalog import CATALOG, find
from depthrt.export.families.entry import CatalogEntry
from depthrt.export.families.table import TABLE, rules_of
from depthrt.export.network.depth_anything import DepthAnything

V1: Family = "depth-anything-v1"
V2: Family = "depth-anything-v2"


@pytest.mark.parametrize("entry", rules_of(V1).entries, ids=lambda entry: entry.name)
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
        ("depth_anything_metric_depth_indoor.pt", ("zoedepth", "zoe-n-vitl", "metric", None, "Apache-2.0")),
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
        "dpt_hybrid_nyu-2ce69ec7.pt",
    ],
)
def test_other_names_are_not_found(name: str) -> None:
    assert find(name) is None


def test_no_two_models_share_a_name() -> None:
    names = [name for entry in CATALOG for name in entry.names]
    assert len(set(names)) == len(names)
    assert all(find(name) is entry for entry in CATALOG for name in entry.names)


def test_only_a_metric_model_has_a_maximum() -> None:
    assert all(entry.kind == "metric" for entry in CATALOG if entry.max_depth_m is not None)
    assert all(entry.max_depth_m is not None for entry in CATALOG if entry.kind == "metric" and entry.family == V2)


def test_only_what_is_published_has_a_repository() -> None:
    entries = rules_of(V2).entries
    assert all(entry.published == bool(entry.repositories) for entry in entries)


def test_the_catalog_holds_what_the_families_have() -> None:
    assert set(CATALOG) == {entry for rules in TABLE for entry in rules.entries}


def test_the_catalog_is_read_without_torch() -> None:
    heavy = ("torch", "numpy", "huggingface_hub")
    code = f"import sys; from depthrt.export import catalog, licences; print([x for x in {heavy} if x in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
