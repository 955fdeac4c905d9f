"""The body of an answer in, a response out that is sent in pieces, so that a client who reads slowly is noticed."""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .depth_answer import Body

PIECE_BYTES = 1 << 18  # the server waits between pieces until the client has read most of those before


class Reply(Response):
    """A response of a body.

    Args:
        body: The body, its type and its headers.
    """

    def __init__(self, body: Body) -> None:
        super().__init__(body.content, media_type=body.media_type, headers=body.headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        content = memoryview(self.body)
        for first in range(0, len(content), PIECE_BYTES):
            piece = bytes(content[first : first + PIECE_BYTES])
            more = first + PIECE_BYTES < len(content)
            await send({"type": "http.response.body", "body": piece, "more_body": more})
        if not content:
            await send({"type": "http.response.body", "body": b""})
