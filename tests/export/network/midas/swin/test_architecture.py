"""The sizes of MiDaS with a Swin transformer from tensors under official names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from made_midas_swin import TINY_CONTINUED, TINY_SWIN, TINY_SWIN2, official_extras

from depthrt.engine.errors import ModelFileError
from depthrt.export.network.midas.swin.architecture import PUBLISHED, UNUSED, SwinArchitecture, infer
from depthrt.export.network.midas.swin.midas_swin import MidasSwin

FILE = Path("swin.pt")
Tensors = dict[str, torch.Tensor]


def state_of(architecture: SwinArchitecture, *, extras: bool = True) -> Tensors:
    with torch.device("meta"):
        state = MidasSwin(architecture).state_dict()
        return state | (official_extras(architecture) if extras else {})


@pytest.mark.parametrize("architecture", [TINY_SWIN2, TINY_CONTINUED, TINY_SWIN, *PUBLISHED.values()])
def test_sizes_are_read_off_the_tensors_of_an_official_file(architecture: SwinArchitecture) -> None:
    assert infer(state_of(architecture), FILE) == architecture


@pytest.mark.parametrize("architecture", PUBLISHED.values(), ids=PUBLISHED)
def test_published_widths_need_no_masks(architecture: SwinArchitecture) -> None:
    assert infer(state_of(architecture, extras=False), FILE) == architecture


def test_what_official_files_hold_beyond_the_network_is_known() -> None:
    for architecture in (TINY_SWIN, PUBLISHED["dpt_swin2_tiny_256"]):
        assert all(UNUSED.search(name) for name in official_extras(architecture))
        assert not [name for name in state_of(architecture, extras=False) if UNUSED.search(name)]
    # Source: isl-org/MiDaS issue 236, names in dpt_swin2_tiny_256.pt that another version of timm does not expect
    masks = [name for name in official_extras(PUBLISHED["dpt_swin2_tiny_256"]) if name.endswith("attn_mask")]
    assert masks == [f"pretrained.model.layers.{stage}.blocks.1.attn_mask" for stage in (0, 1)]


def test_published_sizes_have_the_name_of_the_file_and_others_say_what_they_are() -> None:
    assert [architecture.encoder for architecture in PUBLISHED.values()] == list(PUBLISHED)
    assert (TINY_SWIN.encoder, TINY_CONTINUED.encoder) == ("swin-8x7-128", "swin2-8x6-192")
    assert {architecture.patch_px for architecture in PUBLISHED.values()} == {32}


def test_a_stage_that_fits_into_one_window_is_not_shifted() -> None:
    large, first = PUBLISHED["dpt_swin2_large_384"], PUBLISHED["dpt_swin_large_384"]
    stages = range(4)
    assert [large.window_of(stage) for stage in stages] == [24, 24, 24, 12]
    assert [large.shift_of(stage) for stage in stages] == [12, 12, 0, 0]
    assert [first.shift_of(stage) for stage in stages] == [6, 6, 6, 0]


def test_offsets_are_scaled_by_the_window_of_an_earlier_training_or_else_by_their_own() -> None:
    large, tiny = PUBLISHED["dpt_swin2_large_384"], PUBLISHED["dpt_swin2_tiny_256"]
    assert [large.scaled_window(stage) for stage in range(4)] == [12, 12, 12, 6]
    assert [tiny.scaled_window(stage) for stage in range(4)] == [16, 16, 16, 8]


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("pretrained.model.patch_embed.proj.weight", None, "lacks pretrained.model.patch_embed.proj.weight, so the"),
        ("pretrained.model.layers.2.blocks.0.attn.logit_scale", None, "lacks pretrained.model.layers.2.blocks.0.attn"),
        ("scratch.layer1_rn.weight", (8,), r"with the shape \(8,\), expected 4 dimensions"),
        ("pretrained.model.layers.0.blocks.1.attn_mask", None, "holds no attn_mask and is 8 channels wide, so its"),
        ("pretrained.model.layers.0.blocks.1.attn_mask", (9, 64, 64), "images of 96 px with windows of 8 cells, which"),
        ("pretrained.model.layers.1.blocks.0.attn.logit_scale", (3, 1, 1), "3 attention heads in stage 1, expected a"),
    ],
)
def test_a_tensor_that_shows_no_size_is_one_line(name: str, shape: tuple[int, ...] | None, message: str) -> None:
    tensors = state_of(TINY_SWIN2)
    if shape is None:
        del tensors[name]
    else:
        tensors[name] = torch.zeros(shape)
    with pytest.raises(ModelFileError, match=rf"^swin\.pt.* {message}") as caught:
        infer(tensors, FILE)
    assert "\n" not in str(caught.value)


def test_a_table_of_another_window_than_the_masks_is_found_by_its_shape() -> None:
    tensors = state_of(TINY_SWIN, extras=False) | official_extras(replace(TINY_SWIN, window=8))
    found = MidasSwin(infer(tensors, FILE)).state_dict()
    name = "pretrained.model.layers.0.blocks.0.attn.relative_position_bias_table"
    assert found[name].shape != tensors[name].shape
