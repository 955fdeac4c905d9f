from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import pytest

from depthrt.engine.modelfile.digest import sum_crc32, sum_sha256

CONTENT = bytes(range(256)) * 10_000  # more than two pieces


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(CONTENT)
    return tmp_path / "file"


@pytest.mark.parametrize("spans", [[(0, len(CONTENT))], [(0, 0), (5, 1 << 20), ((1 << 20) + 3, len(CONTENT))], []])
def test_sums_are_those_of_the_spans_and_of_what_follows(path: Path, spans: list[tuple[int, int]]) -> None:
    expected = b"".join(CONTENT[start:end] for start, end in spans) + b"end"
    assert sum_crc32(path, spans, b"end") == f"{zlib.crc32(expected):08x}"
    assert sum_sha256(path, spans, b"end") == hashlib.sha256(expected).hexdigest()


def test_a_span_that_ends_past_the_file_ends_with_it(path: Path) -> None:
    assert sum_crc32(path, [(0, 2 * len(CONTENT))]) == sum_crc32(path, [(0, len(CONTENT))])
