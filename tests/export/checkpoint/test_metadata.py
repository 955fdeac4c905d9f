"""The record in a safetensors header is read strictly, or the file is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from official_state import TINY, State, state_of
from safetensors.torch import save_file

from depthrt.engine.errors import ModelFileError
from depthrt.engine.terms import Family
from depthrt.export.checkpoint.checkpoint import read_checkpoint

V2: Family = "depth-anything-v2"


@pytest.fixture(scope="module")
def state() -> State:
    return state_of(TINY)


@pytest.mark.parametrize(
    ("record", "fragment"),
    [
        ({"format": "2"}, "has a record of format 2, this depthrt reads 1"),
        ({"format": "1", "family": V2}, "has an incomplete record"),
        ({"format": "1", "family": V2, "kind": "metric"}, "has an incomplete record"),
        ({"format": "1", "family": V2, "kind": "inverse", "max_depth_m": "20.0"}, "has an impossible record"),
        (
            {"format": "1", "family": V2, "kind": "inverse", "mood": "good"},
            "has depthrt.mood in its record, which is unknown",
        ),
        ({"format": "1", "family": "midas", "kind": "inverse"}, "has an impossible record"),
    ],
)
def test_a_damaged_record_is_refused(record: dict[str, str], fragment: str, state: State, tmp_path: Path) -> None:
    path = tmp_path / "tuned.safetensors"
    save_file(state, path, metadata={f"depthrt.{key}": value for key, value in record.items()})
    with pytest.raises(ModelFileError) as caught:
        read_checkpoint(path)
    assert fragment in str(caught.value)
