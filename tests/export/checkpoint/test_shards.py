"""An index names files of its own folder, and their tensors are joined."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from depthrt.engine.errors import ModelFileError
from depthrt.export.checkpoint.safe_load import Contents
from depthrt.export.checkpoint.shards import join_shards, shards_of

ONE = torch.ones(1)


def test_tensors_of_all_files_are_joined_and_none_stands_in_two() -> None:
    paths = [Path("a"), Path("b")]
    parts = [Contents({name: ONE}, "safetensors", "") for name in ("x", "y")]
    assert join_shards(paths, parts) == {"x": ONE, "y": ONE}
    with pytest.raises(ModelFileError, match="b holds x, as another shard does"):
        join_shards(paths, [parts[0], parts[0]])


@pytest.mark.parametrize(
    ("weight_map", "message"),
    [
        ({}, "weight_map is "),
        ({"x": "../a"}, "names a file outside its folder"),
        ({"x": "a", "y": "b"}, "names 2 shards and 1 are missing, e.g. b"),
    ],
)
def test_an_index_that_leads_nowhere_is_refused(weight_map: dict[str, str], message: str, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    index = tmp_path / "x.index.json"
    index.write_text(json.dumps({"weight_map": weight_map}))
    with pytest.raises(ModelFileError, match=message):
        shards_of(index)
    index.write_text(json.dumps({"weight_map": {"x": "a"}}))
    assert shards_of(index) == [tmp_path / "a"]
