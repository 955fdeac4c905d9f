"""Tensors of DPT folders get their official names, whichever release of transformers named them."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkpoint_cases import assert_holds
from made_folders import ENCODERS, save_folder, tiny_folder, transformers_hybrid
from random_midas import TINY_HYBRID

from depthrt.engine.errors import InputError
from depthrt.export.checkpoint.checkpoint import read_checkpoint


@pytest.mark.parametrize("newer", [False, True], ids=["older", "newer"])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_folder_holds_the_official_tensors(encoder: str, newer: bool, tmp_path: Path) -> None:
    folder, network = tiny_folder(encoder, tmp_path / "folder", newer=newer)
    found = read_checkpoint(folder)
    assert (found.family, found.kind, found.architecture) == ("midas", "inverse", network.architecture)
    assert_holds(found, dict(network.state_dict()))


def test_a_folder_of_the_hybrid_is_read_by_name_or_option_only(tmp_path: Path) -> None:
    theirs = transformers_hybrid()
    with pytest.raises(InputError, match=r"isl-org/DPT's models for NYU and KITTI.*give --kind inverse"):
        read_checkpoint(save_folder(theirs, tmp_path / "folder"))
    found = read_checkpoint(tmp_path / "folder", kind="inverse")
    assert found.architecture == TINY_HYBRID
    stem = found.tensors["pretrained.model.patch_embed.backbone.stem.conv.weight"]
    assert stem.equal(theirs.get_parameter("dpt.embeddings.backbone.bit.embedder.convolution.weight"))
    last = found.tensors["pretrained.model.patch_embed.backbone.stages.1.blocks.1.norm3.bias"]
    assert last.equal(theirs.get_parameter("dpt.embeddings.backbone.bit.encoder.stages.1.layers.1.norm3.bias"))
