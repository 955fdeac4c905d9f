"""Reads bodies of requests within limits of size and time; bodies and answers take a bounded amount of memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Protocol

from ..refusal import Refusal
from ..settings import MIB

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_RETRY_AFTER_S = 2  # memory frees as fast as requests end


class Holder(Protocol):
    """A request, which holds bytes until it has been answered."""

    held_bytes: int


class Bodies:
    """The bodies of requests and answers that the service holds.

    Args:
        most_bytes: Of one body.
        most_held_bytes: Of all at once; more are refused.
        timeout_s: From the first byte of a body to its last.
    """

    def __init__(self, *, most_bytes: int, most_held_bytes: int, timeout_s: float) -> None:
        self._most, self._most_held, self._timeout_s = most_bytes, most_held_bytes, timeout_s
        self.held_bytes = 0

    async def read(self, holder: Holder, headers: Mapping[str, str], receive: Receive) -> bytes:
        """Return a request's body, which counts as held until `free`.

        Raises:
            Refusal: 413 if it is too large, 408 if it is too slow, 415 if it is compressed, 503 if too much is held,
                499 if the client went away.
        """
        self._check_headers(headers)
        parts: list[bytes] = []
        try:
            await asyncio.wait_for(self._read_parts(holder, receive, parts), self._timeout_s)
        except asyncio.TimeoutError:
            message = f"the body took more than {self._timeout_s:g} s; send it faster, or smaller"
            raise Refusal(408, "slow_body", message) from None
        return b"".join(parts)

    def check_room(self) -> None:
        """Raise Refusal if bodies and answers hold more than allowed, before work whose answer would be held too."""
        if self.held_bytes > self._most_held:
            raise self._crowded()

    def hold(self, holder: Holder, size_bytes: int) -> None:
        """Count an answer as held until `free`; it is never refused, as the work for it is done."""
        holder.held_bytes += size_bytes
        self.held_bytes += size_bytes

    def free(self, holder: Holder) -> None:
        """Count what a request holds no longer; called once it has been answered."""
        self.held_bytes -= holder.held_bytes
        holder.held_bytes = 0

    def _check_headers(self, headers: Mapping[str, str]) -> None:
        coding = headers.get("content-encoding", "identity").strip().lower()
        if coding != "identity":
            raise Refusal(415, "compressed", "the body is compressed, expected it as it is, without Content-Encoding")
        length = headers.get("content-length", "")
        if length.isascii() and length.isdigit() and int(length) > self._most:
            raise self._too_large()

    async def _read_parts(self, holder: Holder, receive: Receive, parts: list[bytes]) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refusal(499, "client_gone", "the client went away")
            part, more = message.get("body", b""), message.get("more_body", False)
            size += len(part)
            if size > self._most:
                raise self._too_large()
            if self.held_bytes + len(part) > self._most_held:
                raise self._crowded()
            parts.append(part)
            self.hold(holder, len(part))

    @staticmethod
    def _crowded() -> Refusal:
        message = "too many images and answers are in memory; try again soon"
        return Refusal(503, "memory", message, retry_after_s=_RETRY_AFTER_S)

    def _too_large(self) -> Refusal:
        return Refusal(413, "large_body", f"the body has more than {self._most / MIB:g} MiB; send the image smaller")
