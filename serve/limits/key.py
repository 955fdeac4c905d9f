"""Whether a request carries the API key."""

from __future__ import annotations

from collections.abc import Mapping
from hmac import compare_digest

from ..refusal import Refusal


def check_key(headers: Mapping[str, str], key: str | None) -> None:
    """Raise Refusal 401 unless the headers carry the key, as `Authorization: Bearer KEY` or `X-API-Key: KEY`.

    Args:
        headers: Of the request; names in any case.
        key: None lets everybody in.
    """
    if key is None:
        return
    scheme, _, token = headers.get("authorization", "").partition(" ")
    given = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
    if not compare_digest(given.encode(), key.encode()):  # in a time that does not tell how much of it is right
        raise Refusal(401, "no_key", "an API key is needed, as 'Authorization: Bearer KEY' or 'X-API-Key: KEY'")
