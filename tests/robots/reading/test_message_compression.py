"""Messages that are compressed are inflated; others stay as they are."""

from __future__ import annotations

import pytest
import zstandard

from depthrt import InputError
from depthrt.robots.reading.message_compression import inflated

CDR = b"\0\1\0\0" + bytes(range(200))


def test_a_compressed_message_is_inflated() -> None:
    assert inflated(zstandard.compress(CDR)) == CDR


def test_a_frame_without_its_size_is_inflated() -> None:
    assert inflated(zstandard.ZstdCompressor(write_content_size=False).compress(CDR)) == CDR


def test_a_plain_message_stays() -> None:
    assert inflated(CDR) is CDR


def test_a_damaged_message_is_an_error_of_a_line() -> None:
    with pytest.raises(InputError, match="compressed message is damaged"):
        inflated(zstandard.compress(CDR)[:20])
