"""The published models of ZoeDepth."""

from __future__ import annotations

from ..entry import CatalogEntry, ReleaseSource, Verified

LICENCE = "MIT"  # Source: isl-org/ZoeDepth LICENSE
TRAINED_M = 80.0  # upper end of K in its training. Source: isl-org/ZoeDepth config_zoedepth_kitti.json

# Name, upper end, number of weights in the network, (h, w), and the repository of transformers' folder.
_PUBLISHED: tuple[tuple[str, float | None, int, tuple[int, int], str], ...] = (
    ("ZoeD_M12_N", None, 343_789_698, (384, 512), "Intel/zoedepth-nyu"),
    ("ZoeD_M12_K", TRAINED_M, 343_793_439, (384, 768), "Intel/zoedepth-kitti"),
    ("ZoeD_M12_NK", None, 345_073_307, (384, 512), "Intel/zoedepth-nyu-kitti"),
)
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


ENTRIES = tuple(_entry(*published) for published in _PUBLISHED)
