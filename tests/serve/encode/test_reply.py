"""A reply arrives whole, in pieces."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from depthrt.serve.encode.depth_answer import Body
from depthrt.serve.encode.reply import PIECE_BYTES, Reply


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_the_pieces_are_the_body(size: int) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:  # noqa: ANN401
        sent.append(message)

    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    reply = Reply(Body(content, "application/x-npy", {"Depthrt-Kind": "metric"}))
    asyncio.run(reply({"type": "http"}, None, send))  # type: ignore[arg-type]
    start, *pieces = sent
    assert {b"content-length": str(size).encode(), b"depthrt-kind": b"metric"}.items() <= dict(start["headers"]).items()
    assert b"".join(piece["body"] for piece in pieces) == content
    assert [piece.get("more_body", False) for piece in pieces] == [True] * (len(pieces) - 1) + [False]
    assert all(len(piece["body"]) <= PIECE_BYTES for piece in pieces)
