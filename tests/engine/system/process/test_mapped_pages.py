from __future__ import annotations

import mmap
import sys
from pathlib import Path

import pytest

from depthrt.engine.system.process.mapped_pages import release_mapped

BYTES = 1 << 20

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which pages are resident")


def resident_bytes(path: Path) -> int:
    """Return how much of a mapped file is in this process's memory."""
    found, inside = 0, False
    for line in Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines():
        first, *rest = line.split()
        if not first.endswith(":"):
            inside = line.endswith(str(path))
        elif first == "Rss:" and inside:
            found += int(rest[0]) * 1024
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    path = tmp_path / "folder" / "weights.blob"
    path.write_bytes(bytes(range(256)) * (BYTES // 256))
    return path


def test_pages_read_are_given_back_and_come_again(file: Path) -> None:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        content = bytes(mapped)
        assert resident_bytes(file) == BYTES
        release_mapped(file.parent)
        assert resident_bytes(file) == 0
        assert bytes(mapped) == content


def test_changed_pages_and_files_elsewhere_are_left(file: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_COPY) as mapped:
        mapped[:4] = b"mine"
        release_mapped(file.parent)
        assert mapped[:4] == b"mine"
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert sum(mapped[:1000]) and resident_bytes(file) > 0
        release_mapped(tmp_path / "other")
        assert resident_bytes(file) > 0
