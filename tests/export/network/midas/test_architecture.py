"""The sizes of MiDaS's transformers, their official names and the blocks that feed the head."""

from __future__ import annotations

from dataclasses import replace

import pytest

from depthrt.export.network.midas.architecture import PUBLISHED, quarters


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_architecture_has_its_official_name_and_takes_sides_of_whole_cells(name: str) -> None:
    architecture = PUBLISHED[name]
    assert (architecture.encoder, architecture.patch_px, architecture.heads * 64) == (name, 32, architecture.width)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("dpt_beit_large_512", "beit128x4-512"),
        ("dpt_large_384", "vit128x4-384"),
        ("dpt_hybrid_384", "hybrid1024-vit128x4-384"),
    ],
)
def test_an_architecture_of_other_sizes_is_named_after_them(name: str, other: str) -> None:
    assert replace(PUBLISHED[name], width=128, depth=4).encoder == other


def test_the_head_reads_the_blocks_that_midas_reads() -> None:
    assert quarters(24) == (5, 11, 17, 23)
    assert quarters(12) == (2, 5, 8, 11)
    assert PUBLISHED["dpt_hybrid_384"].taps == (8, 11)
