"""A file of a release has GitHub's address, and the hash that is known of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from depthrt.export.catalog import find
from depthrt.export.download.release import release_file
from depthrt.export.families.entry import ReleaseSource


@pytest.mark.parametrize(
    ("known", "first", "expected"), [("", "", ""), ("ab", "", "ab"), ("", "cd", "cd"), ("ab", "abcd", "abcd")]
)
def test_the_hash_is_that_of_the_first_download_or_the_publishers(known: str, first: str, expected: str) -> None:
    entry = find("dpt_large_384")
    assert entry is not None and isinstance(entry.source, ReleaseSource)
    file = release_file(replace(entry, sha256=known), entry.source, first)
    assert file.url == "https://github.com/isl-org/MiDaS/releases/download/v3/dpt_large_384.pt"
    assert (file.name, file.sha256, file.headers) == ("dpt_large_384.pt", expected, {})
