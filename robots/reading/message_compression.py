"""Messages that a recorder compressed one by one."""

from __future__ import annotations

import zstandard

from ...engine.errors import InputError

_ZSTD = b"\x28\xb5\x2f\xfd"  # the first bytes of a frame; CDR begins with 00. Source: RFC 8878, section 3.1.1
_MOST_BYTES = 1 << 30  # of a message


def inflated(data: bytes) -> bytes:
    """Return the CDR bytes of a message, which is compressed in a bag of compression mode MESSAGE.

    Raises:
        InputError: It is compressed and damaged.
    """
    if not data.startswith(_ZSTD):
        return data
    try:
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=_MOST_BYTES)
    except zstandard.ZstdError as error:
        raise InputError(f"a compressed message is damaged: {error}; record again") from error
