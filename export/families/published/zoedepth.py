"""The published models of ZoeDepth, and the metric models of Depth Anything V1, which are ZoeDepth networks."""

from __future__ import annotations

from ..entry import CatalogEntry, HubSource, ReleaseSource, Verified

LICENCE = "MIT"  # Source: isl-org/ZoeDepth LICENSE
TRAINED_M = 80.0  # upper end of K in its training. Source: isl-org/ZoeDepth config_zoedepth_kitti.json

# Name, upper end, number of weights in the network, (h, w), and the repository of transformers' folder.
_PUBLISHED: tuple[tuple[str, float | None, int, tuple[int, int], str], ...] = (
    ("ZoeD_M12_N", None, 343_789_698, (384, 512), "Intel/zoedepth-nyu"),
    ("ZoeD_M12_K", TRAINED_M, 343_793_439, (384, 768), "Intel/zoedepth-kitti"),
    ("ZoeD_M12_NK", None, 345_073_307, (384, 512), "Intel/zoedepth-nyu-kitti"),
)
_FOLDER = "checkpoints_metric_depth"  # Source: LiheYoung/Depth-Anything, metric_depth/README.md
_VERIFIED = Verified(
    "full size", "random", "a second writing of the official code", 1.1e-5, by="tests/compare_zoedepth.py"
)


def _entry(
    name: str, max_depth_m: float | None, parameters: int, base_px: tuple[int, int], repository: str
) -> CatalogEntry:
    return CatalogEntry(
        name=name,
        file_name=f"{name}.pt",
        family="zoedepth",
        encoder=name,
        kind="metric",
        max_depth_m=max_depth_m,
        parameters=parameters,
        licence=LICENCE,
        licence_note="",
        repositories=(repository,),
        base_px=base_px,
        rule="minimal",
        source=ReleaseSource("isl-org/ZoeDepth", "v1.0", f"{name}.pt"),  # Source: its README.md
        verified=_VERIFIED,
    )


def _on_depth_anything(place: str) -> CatalogEntry:
    name = f"depth_anything_metric_depth_{place}"
    return CatalogEntry(
        name=name,
        file_name=f"{name}.pt",
        family="zoedepth",
        encoder="zoe-n-vitl",
        kind="metric",
        max_depth_m=None,
        parameters=335_793_794,  # with the unused ones; the file has 4 bytes for each and 203 KB of names
        licence="Apache-2.0",  # Source: LiheYoung/Depth-Anything LICENSE and issue 15
        licence_note="",
        repositories=(),
        base_px=(392, 518),
        rule="stretch",
        source=HubSource("LiheYoung/Depth-Anything", (f"{_FOLDER}/{name}.pt",), kind="space"),
        verified=Verified(
            "full size", "random", "a second writing of the official code", 2.7e-6, by="tests/compare_zoedepth.py"
        ),
    )


ENTRIES = (
    *(_entry(*published) for published in _PUBLISHED),
    *(_on_depth_anything(place) for place in ("indoor", "outdoor")),
)
