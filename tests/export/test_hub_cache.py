"""Which repository and commit a path in the hub's cache is of."""

from __future__ import annotations

from pathlib import Path

import pytest

from depthrt.export.hub_cache import Snapshot, find_snapshot

SNAPSHOT = Path("/hub/models--org--name/snapshots/0123abcd")


@pytest.mark.parametrize("inside", [".", "model.onnx", "onnx/model.onnx"])
def test_a_path_in_a_snapshot_is_of_its_repository_and_commit(inside: str) -> None:
    found = find_snapshot(SNAPSHOT / inside)
    assert found == Snapshot(SNAPSHOT, "org/name", "0123abcd")
    assert found.blobs == Path("/hub/models--org--name/blobs").resolve()


@pytest.mark.parametrize(
    "path",
    [
        ".",
        "/",
        "snapshots/mine",
        "/models--org--name/blobs/0123abcd",
        "/models--org--name/snapshots",
        "/datasets--org--name/snapshots/0123abcd/list.csv",
    ],
)
def test_other_paths_are_of_none(path: str) -> None:
    assert find_snapshot(Path(path)) is None
