"""What a published folder of ZoeDepth says is accepted, although the official network differs from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_folders import tiny_folder

from depthrt.export.checkpoint.checkpoint import read_checkpoint


@pytest.mark.parametrize("variant", ["N", "K"])
def test_the_published_settings_that_no_network_uses_are_accepted(variant: str, tmp_path: Path) -> None:
    bins = [{"name": "nyu", "n_bins": 64, "min_depth": 1e-3, "max_depth": 10.0}]
    changes = {"bin_configurations": bins, "attractor_alpha": 1000, "backbone_config": {"layer_norm_eps": 1e-12}}
    folder, network = tiny_folder(variant, tmp_path / "folder", changes=changes)
    assert read_checkpoint(folder).architecture == network.architecture
