"""A connection that dawdles over the head of a request is closed; one that works is not."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import uvicorn

from depthrt.serve.encode.depth_answer import Body
from depthrt.serve.encode.reply import Reply
from depthrt.serve.limits import patience
from depthrt.serve.limits.patience import PatientProtocol, patient_protocol
from depthrt.serve.program import bind

SHORT_S = 0.3


async def app(scope: dict[str, object], receive: object, send: object) -> None:
    await asyncio.sleep(2 * SHORT_S)
    await send({"type": "http.response.start", "status": 204, "headers": []})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]


async def start(
    served: Callable[..., Awaitable[None]], protocol: type[PatientProtocol] = PatientProtocol
) -> tuple[socket.socket, uvicorn.Server, asyncio.Future[None]]:
    bound = bind("127.0.0.1", 0)
    config = uvicorn.Config(served, http=protocol, lifespan="off", log_config=None, timeout_keep_alive=1)
    server = uvicorn.Server(config)
    running = asyncio.ensure_future(server._serve([bound]))
    while not server.started:
        await asyncio.sleep(0.01)
    return bound, server, running


async def talk(*sent: bytes) -> bytes:
    """Send bytes to a server and return what it says until it closes the connection."""
    bound, server, running = await start(app)
    reader, writer = await asyncio.open_connection(*bound.getsockname())
    answer = b""
    with suppress(ConnectionError):  # of writing to a closed connection
        for part in sent:
            writer.write(part)
            await asyncio.sleep(SHORT_S / 3)
        answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    server.should_exit = True
    await running
    bound.close()
    return answer


@pytest.mark.parametrize("sent", [(), (b"GET / HT",), (b"G", b"E", b"T", b" ", b"/", b" ", b"H")])
def test_an_unfinished_head_ends_the_connection(sent: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_S", SHORT_S)
    assert asyncio.run(talk(*sent)) == b""


def test_a_request_that_takes_longer_than_a_head_may_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_S", SHORT_S)
    assert asyncio.run(talk(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")).startswith(b"HTTP/1.1 204")


def test_a_client_that_does_not_read_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "STALL_S", SHORT_S)
    large, ended = Reply(Body(bytes(1 << 26), "image/png")), asyncio.Event()

    async def answers(scope: dict[str, object], receive: object, send: object) -> None:
        await large(scope, receive, send)  # type: ignore[arg-type]
        ended.set()

    async def dawdle() -> None:
        bound, server, running = await start(answers)
        with socket.create_connection(bound.getsockname()) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await asyncio.wait_for(ended.wait(), 10)
        server.should_exit = True
        await running
        bound.close()

    asyncio.run(dawdle())


def test_a_connection_too_many_learns_why_and_the_others_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LINGER_S", SHORT_S)
    request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    async def crowd() -> list[bytes]:
        bound, server, running = await start(app, patient_protocol(1))
        first = await asyncio.open_connection(*bound.getsockname())
        await asyncio.sleep(SHORT_S)
        second = await asyncio.open_connection(*bound.getsockname())
        found = []
        for reader, writer in (second, first):
            writer.write(request)
            found.append(await asyncio.wait_for(reader.read(), 10))
            writer.close()
        server.should_exit = True
        await running
        bound.close()
        return found

    refused, served = asyncio.run(crowd())
    head, _, body = refused.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n") and b"\r\nRetry-After: " in head
    assert json.loads(body)["code"] == "connections"
    assert served.startswith(b"HTTP/1.1 204")


def test_a_body_that_goes_on_after_it_was_refused_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LINGER_BYTES", 100_000)

    async def refuses(scope: object, receive: object, send: Callable[..., Awaitable[None]]) -> None:
        await send({"type": "http.response.start", "status": 413, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def go_on() -> int:
        bound, server, running = await start(refuses)
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 413")
        sent = 0
        with suppress(ConnectionError):
            while sent < 1_000_000_000:
                writer.write(bytes(1 << 16))
                sent += 1 << 16
                await writer.drain()
        writer.close()
        server.should_exit = True
        await running
        bound.close()
        return sent

    assert asyncio.run(go_on()) < 100_000_000, "what the buffers of the system hold"
