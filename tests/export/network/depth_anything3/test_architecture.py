"""The sizes of a Depth Anything 3 network are read off its tensors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from random_depth_anything3 import TINY_ANY_VIEW, TINY_GATED, TINY_SKY

from depthrt.engine.errors import ModelFileError
from depthrt.export.network.depth_anything3.architecture import (
    OTHER_TASKS,
    Da3Architecture,
    infer,
    published,
)
from depthrt.export.network.depth_anything3.network import DepthAnything3

PUBLISHED = [published("vitl", any_view=False), *(published(f"vit{size}", any_view=True) for size in "sblg")]
TINY = [TINY_SKY, TINY_ANY_VIEW, TINY_GATED]


def shapes(architecture: Da3Architecture) -> dict[str, torch.Tensor]:
    with torch.device("meta"):
        return dict(DepthAnything3(architecture).state_dict())


@pytest.mark.parametrize("architecture", [*PUBLISHED, *TINY], ids=lambda found: found.encoder)
def test_sizes_are_read_off_the_tensors(architecture: Da3Architecture) -> None:
    assert infer(shapes(architecture), Path("file")) == architecture


def test_a_published_network_has_its_name_and_any_other_its_sizes() -> None:
    assert [found.encoder for found in PUBLISHED] == ["vitl", *(f"any-view-vit{size}" for size in "sblg")]
    assert [found.encoder for found in TINY[:2]] == ["vit64x4", "any-view-vit64x6"]
    assert replace(PUBLISHED[0], features=128).encoder == "vit1024x24"


# Source: Depth-Anything-3 src/depth_anything_3/configs/
def test_the_head_reads_the_official_blocks() -> None:
    taps = [(4, 11, 17, 23), (5, 7, 9, 11), (5, 7, 9, 11), (11, 15, 19, 23), (19, 27, 33, 39)]
    assert [found.taps for found in PUBLISHED] == taps
    assert [found.turned_from for found in PUBLISHED] == [None, 4, 4, 8, 13]


@pytest.mark.parametrize(
    ("architecture", "dropped", "message"),
    [
        (TINY_SKY, "sky_output_conv2", "has neither a camera token nor a sky output; save the whole model"),
        (TINY_ANY_VIEW, r"blocks.4.attn.q_norm", "norms of queries in 3 of 6 blocks, expected them from one block to"),
        (TINY_ANY_VIEW, r"blocks.5.", r"has a camera token and 5 transformer blocks, expected 6 or more"),
        (TINY_SKY, "pos_embed", "lacks backbone.pretrained.pos_embed, so the size of the network is unknown"),
    ],
)
def test_tensors_that_show_no_network_are_refused(architecture: Da3Architecture, dropped: str, message: str) -> None:
    left = {name: tensor for name, tensor in shapes(architecture).items() if dropped not in name}
    with pytest.raises(ModelFileError, match=message):
        infer(left, Path("file"))


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("cam_enc.trunk.0.norm1.weight", "cam_enc"),
        ("gs_head.projects.0.weight", "gs_head"),
        ("head.scratch.output_conv1_aux.3.0.weight", None),
        ("head.scratch.refinenet4_aux.out_conv.bias", None),
    ],
)
def test_parts_for_other_tasks_are_known(name: str, part: str | None) -> None:
    found = OTHER_TASKS.match(name)
    assert found is not None
    assert (found["part"], found["rays"]) == (part, None if part else "_aux")
    assert OTHER_TASKS.match("head.scratch.output_conv1.weight") is None
