"""The sizes of MiDaS's transformers, their official names, how tensors show them, and the blocks that feed the head."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from random_midas import TINY_BEIT, TINY_HYBRID, TINY_VIT

from depthrt.engine.errors import ModelFileError
from depthrt.export.network.midas.architecture import (
    BEIT_MARK,
    PUBLISHED,
    UNUSED,
    TransformerArchitecture,
    infer,
    quarters,
)
from depthrt.export.network.midas.network import Midas

FILE = Path("a.pt")
TABLE, WIDTH = "pretrained.model.pos_embed", "pretrained.model.cls_token"


def state_of(architecture: TransformerArchitecture) -> dict[str, torch.Tensor]:
    """Return the tensors of a network without their values."""
    with torch.device("meta"):
        return dict(Midas(architecture).state_dict())


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


@pytest.mark.parametrize("architecture", [*PUBLISHED.values(), TINY_BEIT, TINY_VIT, TINY_HYBRID])
def test_tensors_show_the_sizes_of_their_network(architecture: TransformerArchitecture) -> None:
    assert infer(state_of(architecture), FILE) == architecture


@pytest.mark.parametrize(
    ("architecture", "name", "shape", "message"),
    [
        (TINY_VIT, TABLE, None, "lacks pretrained.model.pos_embed, so the size of the network is unknown; save the"),
        (TINY_VIT, TABLE, (1, 36, 128), "has a table of 35 positions, expected a square number; save it again"),
        (
            TINY_VIT,
            TABLE,
            (37, 128),
            "holds pretrained.model.pos_embed with the shape (37, 128), expected 3 dimensions",
        ),
        (TINY_BEIT, BEIT_MARK, (103, 2), "has a table of 100 relative positions, expected the square of an odd number"),
        (TINY_BEIT, BEIT_MARK, (2, 2), "has a table of -1 relative positions, expected the square of an odd number"),
        (TINY_BEIT, WIDTH, (1, 1, 100), "has tokens of width 100, expected a multiple of 64 (the channels of an att"),
        (TINY_HYBRID, "scratch.layer2_rn.weight", None, "lacks scratch.layer2_rn.weight, so the size of the network"),
    ],
)
def test_an_impossible_size_is_refused_in_one_line(
    architecture: TransformerArchitecture, name: str, shape: tuple[int, ...] | None, message: str
) -> None:
    state = state_of(architecture)
    del state[name]
    if shape is not None:
        state[name] = torch.zeros(shape)
    with pytest.raises(ModelFileError, match=f"^{re.escape(f'a.pt {message}')}[^\n]*$"):
        infer(state, FILE)


def test_what_a_published_file_holds_beside_the_network_has_names_of_its_own() -> None:
    beside = ("pretrained.model.head.weight", "pretrained.model.fc_norm.bias", "pretrained.model.norm.weight")
    assert all(UNUSED.search(name) for name in (*beside, "pretrained.model.blocks.3.attn.relative_position_index"))
    assert not [name for architecture in PUBLISHED.values() for name in state_of(architecture) if UNUSED.search(name)]
