"""A listed model says what the catalog knows, and what this machine has of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from published_files import sha256

from depthrt.export.catalog import find_published
from depthrt.export.download.fetched import Fetched, FetchedFile, remember
from depthrt.export.licences import check_accepted
from depthrt.export.listing import describe


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / "cache"))


def test_a_model_is_told_with_its_licence_size_and_source() -> None:
    found = describe(find_published("dpt_swin2_tiny_256"))
    assert (found.default_px, found.rule, found.licence, found.accepted) == ((256, 256), "square", "MIT", True)
    assert found.page == "https://github.com/isl-org/MiDaS/releases/tag/v3_1"
    assert (found.files, found.path, found.sha256) == (("dpt_swin2_tiny_256.pt",), None, "")
    assert "Intel/dpt-swinv2-tiny-256" in found.other_names and found.name not in found.other_names


def test_what_was_fetched_and_accepted_on_this_machine_is_told(tmp_path: Path) -> None:
    entry, path = find_published("depth-anything-v2-vitl"), tmp_path / "depth_anything_v2_vitl.pth"
    assert not describe(entry).accepted
    path.write_bytes(b"content")
    check_accepted(entry, accepted=True)
    remember(entry, Fetched(str(path), "v3", "today", (FetchedFile(str(path), 7, sha256(b"content")),)))
    found = describe(entry)
    assert (found.accepted, found.path, found.sha256) == (True, str(path), sha256(b"content"))
