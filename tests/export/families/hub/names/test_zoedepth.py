"""Tensors of ZoeDepth's folders get their official names, whichever release of transformers named them."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkpoint_cases import assert_holds
from made_folders import tiny_folder

from depthrt.export.checkpoint.checkpoint import read_checkpoint


@pytest.mark.parametrize("newer", [False, True], ids=["older", "newer"])
@pytest.mark.parametrize("variant", ["N", "K", "NK"])
def test_a_folder_holds_the_official_tensors(variant: str, newer: bool, tmp_path: Path) -> None:
    folder, network = tiny_folder(variant, tmp_path / "folder", newer=newer)
    found = read_checkpoint(folder)
    assert (found.family, found.kind, found.architecture) == ("zoedepth", "metric", network.architecture)
    assert found.max_depth_m == (80.0 if variant == "K" else None)
    assert_holds(found, dict(network.state_dict()))
