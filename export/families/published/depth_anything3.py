"""The published models of Depth Anything 3."""

from __future__ import annotations

from ....engine.terms import Kind
from ..entry import CatalogEntry, HubSource, Verified

_FREE, _NON_COMMERCIAL = "Apache-2.0", "CC-BY-NC-4.0"  # Source: Depth-Anything-3 README.md (model cards)

# Largest difference of the depth from the second writing, by encoder.
_LARGEST = {
    "vitl": 1.6e-5,
    "any-view-vits": 5.5e-6,
    "any-view-vitb": 5.0e-6,
    "any-view-vitl": 5.3e-6,
    "any-view-vitg": 6.9e-6,
}
_AGAINST = "a second writing of the official code"

# Name, encoder, number of weights that the depth of one view needs, licence, and ComfyUI's file of the same
# weights (Comfy-Org/Depth-Anything-3, geometry_estimation/).
_PUBLISHED: tuple[tuple[str, str, int, str, str], ...] = (
    ("DA3METRIC-LARGE", "vitl", 334_171_394, _FREE, "depth_anything_3_metric_large.safetensors"),
    ("DA3MONO-LARGE", "vitl", 334_171_394, _FREE, "depth_anything_3_mono_large.safetensors"),
    ("DA3-SMALL", "any-view-vits", 24_991_714, _FREE, "depth_anything_3_small.safetensors"),
    ("DA3-BASE", "any-view-vitb", 98_287_458, _FREE, "depth_anything_3_base.safetensors"),
    ("DA3-LARGE", "any-view-vitl", 337_028_322, _NON_COMMERCIAL, ""),
    ("DA3-LARGE-1.1", "any-view-vitl", 337_028_322, _NON_COMMERCIAL, ""),
    ("DA3-GIANT", "any-view-vitg", 1_172_029_410, _NON_COMMERCIAL, ""),
    ("DA3-GIANT-1.1", "any-view-vitg", 1_172_029_410, _NON_COMMERCIAL, ""),
)


def _entry(repository: str, encoder: str, parameters: int, licence: str, comfy_file: str) -> CatalogEntry:
    name, largest = repository.lower(), _LARGEST[encoder]
    kind: Kind = "metric" if "metric" in name else "scale"
    return CatalogEntry(
        name=name,
        file_name=f"{name}.safetensors",  # of the copies that people make: every repository's is model.safetensors
        family="depth-anything-3",
        encoder=encoder,
        kind=kind,
        max_depth_m=None,
        parameters=parameters,
        licence=licence,
        licence_note="",
        repositories=(f"depth-anything/{repository}",),
        other_names=(comfy_file,) if comfy_file else (),
        base_px=(504, 504),
        rule="longest_nearest",
        source=HubSource(f"depth-anything/{repository}", ("config.json", "model.safetensors"), folder=True),
        verified=Verified("full size", "random", _AGAINST, largest, by="tests/compare_depth_anything3.py"),
    )


ENTRIES = tuple(_entry(*published) for published in _PUBLISHED)
