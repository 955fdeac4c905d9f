"""A tiny folder of Marigold and the file made of it, for all tests of the export."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_marigold import write_folder


@pytest.fixture(scope="session")
def marigold_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Marigold v1-1, with the licence of no published folder, as its name is another."""
    return write_folder(tmp_path_factory.mktemp("tiny-marigold"), "v1-1")
