"""Ends connections that send the head of a request, or read an answer, too slowly, and those that are too many.

A server that waits for them runs out of connections and of memory.
"""

from __future__ import annotations

import asyncio
import json
from uuid import uuid4

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..refusal import Refusal

HEAD_S = 10.0  # from a connection, or from the first byte of a later request, to the end of the head
LINGER_S = 2.0  # in which a client that is refused may read why
LINGER_BYTES = 4 << 20  # of a body that was refused, read and thrown away so that the client reads why
STALL_S = 30.0  # in which a client must read what the server and the system hold for it, some 100 KB


_CROWDED = Refusal(503, "connections", "too many connections are open; try again soon", retry_after_s=2)


class PatientProtocol(H11Protocol):
    """uvicorn's protocol with limits of time and of connections; limits of bodies are elsewhere."""

    most_connections = 500
    _refused = False
    _thrown_away = 0
    _timer: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        if len(self.connections) > self.most_connections:
            self._refuse()
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        """Take bytes; wait on if they do not complete a head."""
        if self._refused or self._is_too_much(data):
            return
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """End waiting."""
        self._stop()
        self._read_on()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to wait for a client that does not read."""
        super().pause_writing()
        self._stall = self.loop.call_later(STALL_S, self.transport.abort)

    def resume_writing(self) -> None:
        """End waiting, as the client reads."""
        self._read_on()
        super().resume_writing()

    def _refuse(self) -> None:
        """Say that there are too many connections, whatever the client is about to ask, and end this one."""
        self._refused = True
        self.connections.discard(self)
        self.transport.write(_answer(_CROWDED))
        self._timer = self.loop.call_later(LINGER_S, self.transport.close)

    def _is_too_much(self, data: bytes) -> bool:
        """Return whether a client goes on and on with a body that was refused; end its connection then."""
        if self.cycle is None or not self.cycle.response_complete or self.conn.their_state is not h11.SEND_BODY:
            return False
        self._thrown_away += len(data)
        if self._thrown_away <= LINGER_BYTES:
            return False
        self.transport.abort()
        return True

    def _watch(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop()
        elif self._timer is None:
            self._timer = self.loop.call_later(HEAD_S, self._end)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _read_on(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _end(self) -> None:
        self._timer = None
        if (self.cycle is None or self.cycle.response_complete) and not self.transport.is_closing():
            self.transport.close()


def patient_protocol(most_connections: int) -> type[PatientProtocol]:
    """Return the protocol with a limit of open connections; more are answered 503."""
    return type("PatientProtocol", (PatientProtocol,), {"most_connections": most_connections})


def _answer(refusal: Refusal) -> bytes:
    """Return a whole answer of HTTP, as the app would send it."""
    body = json.dumps(refusal.to_dict(uuid4().hex)).encode()
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        **refusal.headers,
    }
    lines = [f"HTTP/1.1 {refusal.status} Service Unavailable", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body
