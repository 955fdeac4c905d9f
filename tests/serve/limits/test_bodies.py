"""Bodies are read whole or refused, and their memory is given back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from depthrt.serve.limits.bodies import Bodies, Receive
from depthrt.serve.refusal import Refusal

MOST = 100


def sends(*parts: bytes, ends: bool = True, wait_s: float = 0.0) -> Receive:
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.request", "body": b"", "more_body": False} if ends else {"type": "http.disconnect"})

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(wait_s)
        return messages.pop(0)

    return receive


def make_bodies(held: int = 150, timeout_s: float = 5.0) -> Bodies:
    return Bodies(most_bytes=MOST, most_held_bytes=held, timeout_s=timeout_s)


@dataclass
class Request:
    held_bytes: int = 0


def read(bodies: Bodies, receive: Receive, headers: dict[str, str]) -> bytes:
    """Read a body; all it held is free afterwards."""
    request = Request()
    try:
        body = asyncio.run(bodies.read(request, headers, receive))
        assert bodies.held_bytes == request.held_bytes == len(body)
        return body
    finally:
        bodies.free(request)
        assert bodies.held_bytes == 0


@pytest.mark.parametrize("parts", [[], [b"abc"], [b"a" * 60, b"b" * 40]])
def test_a_body_of_any_number_of_parts_arrives_whole(parts: Sequence[bytes]) -> None:
    assert read(make_bodies(), sends(*parts), {}) == b"".join(parts)


@pytest.mark.parametrize(
    ("receive", "headers", "status", "code"),
    [
        (sends(b"x"), {"content-length": "101"}, 413, "large_body"),
        (sends(b"a" * 60, b"b" * 60), {}, 413, "large_body"),
        (sends(b"a" * 60, b"b" * 60), {"content-length": "3"}, 413, "large_body"),
        (sends(b"x"), {"content-encoding": "gzip"}, 415, "compressed"),
        (sends(b"x", ends=False), {}, 499, "client_gone"),
        (sends(b"x", wait_s=1.0), {}, 408, "slow_body"),
    ],
    ids=["stated", "sent", "lie", "compressed", "gone", "slow"],
)
def test_a_body_over_a_limit_is_refused_and_forgotten(
    receive: Receive, headers: dict[str, str], status: int, code: str
) -> None:
    with pytest.raises(Refusal) as caught:
        read(make_bodies(timeout_s=0.2), receive, headers)
    assert (caught.value.status, caught.value.code) == (status, code)


def test_bodies_and_answers_together_take_no_more_than_allowed() -> None:
    bodies, first, second = make_bodies(), Request(), Request()
    asyncio.run(bodies.read(first, {}, sends(b"a" * 60)))
    bodies.hold(first, 80)  # its answer
    with pytest.raises(Refusal) as caught:
        asyncio.run(bodies.read(second, {}, sends(b"b" * 20)))
    assert caught.value.status == 503 and caught.value.retry_after_s
    bodies.free(second)
    assert bodies.held_bytes == first.held_bytes == 140
    bodies.free(first)
    assert read(bodies, sends(b"b" * 90), {}) == b"b" * 90


def test_there_is_room_until_more_is_held_than_allowed() -> None:
    bodies, request = make_bodies(held=150), Request()
    bodies.hold(request, 150)
    bodies.check_room()
    bodies.hold(request, 1)
    with pytest.raises(Refusal) as caught:
        bodies.check_room()
    assert (caught.value.status, caught.value.code) == (503, "memory") and caught.value.retry_after_s
    bodies.free(request)
    bodies.check_room()
