"""The published models of MiDaS 2.1 to 3.1."""

from __future__ import annotations

from ....engine.modelfile.size_rule import Rule
from ..entry import CatalogEntry, ReleaseSource, Verified

LICENCE = "MIT"  # Source: isl-org/MiDaS LICENSE

# Name, tag of its release, number of weights in the network, older names, and the repository of transformers' folder.
# Source of the tags: isl-org/MiDaS README.md
_PUBLISHED: tuple[tuple[str, str, int, tuple[str, ...], str], ...] = (
    ("dpt_beit_large_512", "v3_1", 343_987_393, (), "Intel/dpt-beit-large-512"),
    ("dpt_beit_large_384", "v3_1", 343_311_553, (), "Intel/dpt-beit-large-384"),
    ("dpt_beit_base_384", "v3_1", 110_761_153, (), "Intel/dpt-beit-base-384"),
    ("dpt_swin2_large_384", "v3_1", 211_871_797, (), "Intel/dpt-swinv2-large-384"),
    ("dpt_swin2_base_384", "v3_1", 101_351_865, (), "Intel/dpt-swinv2-base-384"),
    ("dpt_swin2_tiny_256", "v3_1", 40_930_795, (), "Intel/dpt-swinv2-tiny-256"),
    ("dpt_swin_large_384", "v3_1", 211_867_381, (), ""),
    ("dpt_large_384", "v3", 343_028_417, ("dpt_large-midas-2f21e586.pt",), "Intel/dpt-large"),
    ("dpt_hybrid_384", "v3", 122_376_449, ("dpt_hybrid-midas-501f0c75.pt",), "Intel/dpt-hybrid-midas"),
    ("midas_v21_384", "v2_1", 105_362_945, ("midas_v21-f6b98070.pt", "model-f6b98070.pt"), ""),
    ("midas_v21_small_256", "v2_1", 21_320_545, ("midas_v21_small-70d6b9c8.pt", "model-small-70d6b9c8.pt"), ""),
)
_VERIFIED = Verified(
    "full size",
    "random",
    "a second writing of the official code, or transformers' network",
    1.1e-5,
    by="tests/compare_midas.py",
)


def _entry(name: str, tag: str, parameters: int, other_names: tuple[str, ...], repository: str) -> CatalogEntry:
    side = int(name.rpartition("_")[2])
    return CatalogEntry(
        name=name,
        file_name=f"{name}.pt",
        family="midas",
        encoder=name,
        kind="inverse",
        max_depth_m=None,
        parameters=parameters,
        licence=LICENCE,
        licence_note="",
        repositories=(repository,) if repository else (),
        other_names=other_names,
        base_px=(side, side),
        rule=_rule(name),
        source=ReleaseSource("isl-org/MiDaS", tag, f"{name}.pt"),
        verified=_VERIFIED,
    )


def _rule(name: str) -> Rule:
    if "swin" in name:
        return "square"
    return "upper_bound" if "v21" in name else "minimal"


ENTRIES = tuple(_entry(*published) for published in _PUBLISHED)
