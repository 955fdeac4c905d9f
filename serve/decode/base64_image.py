"""Base64 texts in, bytes out; addresses and paths are refused, as the service fetches and reads nothing for clients."""

from __future__ import annotations

import base64
import binascii
import re

from ..refusal import unprocessable

_DATA_URI = re.compile(r"data:[a-z0-9.+/-]{0,80};base64,", re.IGNORECASE)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{0,20}://|file:|/|\.{1,2}/", re.IGNORECASE)


def decode_base64(text: str) -> bytes:
    """Return the bytes of a text in base64, or of a `data:` address of such a text.

    Raises:
        Refusal: 422 if it is anything else.
    """
    head = _DATA_URI.match(text)
    try:
        letters = text[head.end() :] if head else text
        return base64.b64decode("".join(letters.split()) if "\n" in letters else letters, validate=True)
    except (binascii.Error, ValueError):
        pass
    if _ADDRESS.match(text):
        raise unprocessable("address", "the image is an address or a path, which is not fetched; send the image itself")
    raise unprocessable("not_base64", "the image is not base64")
