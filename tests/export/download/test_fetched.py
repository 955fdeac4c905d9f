"""What was fetched is remembered with its hashes; a file that is gone or changed counts as not fetched."""

from __future__ import annotations

from pathlib import Path

import pytest
from published_files import sha256

from depthrt.export.catalog import find_published
from depthrt.export.download.fetched import (
    FETCHED,
    Fetched,
    FetchedFile,
    find_fetched,
    is_whole,
    recall,
    record_path,
    remember,
)

ENTRY = find_published("dpt_large_384")


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fetched:
    monkeypatch.setenv("DEPTHRT_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "dpt_large_384.pt"
    path.write_bytes(b"content")
    return Fetched(str(path), "v3", "2026-11-30T10:00:00+00:00", (FetchedFile(str(path), 7, sha256(b"content")),))


def test_a_model_is_remembered(fetched: Fetched) -> None:
    assert (recall(ENTRY), find_fetched(ENTRY), record_path(ENTRY)) == (None, None, None)
    remember(ENTRY, fetched)
    assert recall(ENTRY) == fetched and find_fetched(ENTRY) == Path(fetched.path)
    assert record_path(ENTRY) is not None and recall(find_published("dpt_hybrid_384")) is None


def test_a_changed_file_is_not_whole_and_a_missing_one_is_not_here(fetched: Fetched) -> None:
    remember(ENTRY, fetched)
    assert is_whole(fetched)
    Path(fetched.path).write_bytes(b"changed")
    assert not is_whole(fetched) and find_fetched(ENTRY) is not None, "the list does not read all bytes"
    Path(fetched.path).write_bytes(b"cut")
    assert not is_whole(fetched) and find_fetched(ENTRY) is None
    Path(fetched.path).unlink()
    assert not is_whole(fetched) and find_fetched(ENTRY) is None
    assert recall(ENTRY) == fetched, "its hash stays known"


def test_a_damaged_record_counts_as_not_fetched(fetched: Fetched) -> None:
    remember(ENTRY, fetched)
    record = record_path(ENTRY)
    assert record is not None and FETCHED.find({"model": ENTRY.name}) == record
    record.write_text(record.read_text().replace('"made"', '"mode"'))
    assert recall(ENTRY) is None and find_fetched(ENTRY) is None
