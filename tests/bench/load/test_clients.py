"""Clients ask until their time is over, and every answer is counted as what it is."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tiny_model import PHOTOS

from depthrt.bench.load.clients import Answer, Load, run_clients
from depthrt.bench.load.requests import make_request
from depthrt.bench.load.server_process import ServerProcess

REQUEST = make_request((PHOTOS / "coffee.jpg").read_bytes(), "npy")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BUSY = b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def answering(*answers: bytes) -> Iterator[tuple[str, int]]:
    """Give each connection the next answer to its first request, then close it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for answer in answers:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(1 << 20)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()
        thread.join()


def test_several_clients_are_answered_on_their_connections(server: ServerProcess) -> None:
    seen: list[int] = []
    address = (server.host, server.port)
    load = run_clients(address, [REQUEST], clients=2, seconds=0, at_least=5, on_answer=seen.append)
    assert len(load.good) == 5 and load.errors == [] and load.refused == 0
    assert sorted(seen) == [1, 2, 3, 4, 5] and load.per_second > 0
    assert 0 < load.latency_ms(50) <= load.latency_ms(99)


def test_more_clients_than_the_queue_holds_get_an_honest_refusal(server: ServerProcess) -> None:
    load = run_clients((server.host, server.port), [REQUEST], clients=8, seconds=0, at_least=8)
    assert load.refused >= 1 and load.errors == [], "one runs, two wait, and the others are told to come back"
    assert load.refused + len(load.good) == len(load.answers)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", "ConnectionError: the server closed the connection within an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", "ConnectionError: the server closed"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "ConnectionError: the answer does not state its length"),
        (b"HTTP/1.1 500 Bug\r\nContent-Length: 0\r\n\r\n", "status 500"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "status 503"),
    ],
    ids=["closed", "cut", "no length", "bug", "503 without Retry-After"],
)
def test_everything_but_depth_and_an_honest_refusal_is_an_error(answer: bytes, error: str) -> None:
    with answering(answer) as address:
        load = run_clients(address, [b"request"], clients=1, seconds=0, at_least=1)
    (found,) = load.errors
    assert found.startswith(error)


def test_a_client_comes_back_after_a_refusal_on_a_new_connection() -> None:
    with answering(BUSY, OK) as address:
        load = run_clients(address, [b"request"], clients=1, seconds=0, at_least=2)
    assert [answer.status for answer in load.answers] == [503, 200] and load.refused == 1
    assert load.answers[1].start_s - load.answers[0].end_s >= 1


def test_no_server_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    load = run_clients(address, [b"request"], clients=1, seconds=0, at_least=1)
    assert load.errors and "Refused" in load.errors[0]


def test_throughput_leaves_out_what_came_after_the_time() -> None:
    answers = tuple(Answer(0.0, end_s, 200) for end_s in (1.0, 2.0, 3.0, 9.0))
    load = Load(1, answers, begun_s=0.0, until_s=3.0, clients_cpu_s=0.0)
    assert load.per_second == 1.0
    assert Load(1, answers[:1], 0.0, 3.0, 0.0).per_second == 0
