"""Every test of downloads has its own caches, and a local publisher in place of the hub and of GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from published_files import Publisher, local_publisher


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """A server that speaks as the hub and as GitHub; downloads go to it."""
    with local_publisher(tmp_path, monkeypatch) as server:
        yield server
