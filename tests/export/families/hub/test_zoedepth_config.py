"""What a published folder of ZoeDepth says is accepted, although the official network differs from it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from made_folders import tiny_folder
from random_zoedepth import TINY_ZOE_DEPTH_ANYTHING, random_zoe

from depthrt.engine.errors import ModelFileError
from depthrt.export.checkpoint.checkpoint import read_checkpoint


@pytest.mark.parametrize("variant", ["N", "K"])
def test_the_published_settings_that_no_network_uses_are_accepted(variant: str, tmp_path: Path) -> None:
    bins = [{"name": "nyu", "n_bins": 64, "min_depth": 1e-3, "max_depth": 10.0}]
    changes = {"bin_configurations": bins, "attractor_alpha": 1000, "backbone_config": {"layer_norm_eps": 1e-12}}
    folder, network = tiny_folder(variant, tmp_path / "folder", changes=changes)
    assert read_checkpoint(folder).architecture == network.architecture


def test_a_config_on_beit_with_tensors_on_depth_anything_is_refused(tmp_path: Path) -> None:
    folder, _ = tiny_folder("N", tmp_path / "folder")
    for weights in folder.glob("*.safetensors"):
        weights.unlink()
    torch.save(dict(random_zoe(TINY_ZOE_DEPTH_ANYTHING).state_dict()), folder / "pytorch_model.bin")
    with pytest.raises(ModelFileError, match=r"config\.json of ZoeDepth on BEiT and tensors of ZoeDepth on Depth"):
        read_checkpoint(folder)
