"""Concurrent clients, as cheap as threads with plain sockets are: they share the cores with the server."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from time import perf_counter, process_time, sleep

import numpy as np

_TIMEOUT_S = 120.0  # for the next bytes of an answer
_LONGEST_REST_S = 5.0  # after a 503, whatever it asks for
_AFTER_ERROR_S = 0.1
_PART_BYTES = 1 << 18
_RETRY_AFTER = re.compile(rb"\r\nretry-after: (\d+)\r\n", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client got.

    Args:
        start_s, end_s: Of perf_counter: before the first byte was sent, after the last one came.
        status: Of HTTP; 0 if the connection failed.
        retry_after_s: That the server asks for; None if it does not.
        size_bytes: Of the body.
        note: Why the connection failed.
    """

    start_s: float
    end_s: float
    status: int
    retry_after_s: int | None = None
    size_bytes: int = 0
    note: str = ""

    @property
    def refused(self) -> bool:
        """Whether it is an honest 503: one that says when to come back."""
        return self.status == 503 and self.retry_after_s is not None


@dataclass(frozen=True, slots=True)
class Load:
    """Answers to concurrent clients.

    Args:
        clients: That asked at once.
        answers: In the order in which they came.
        begun_s, until_s: Of perf_counter: from the first request to the time after which none was sent.
        clients_cpu_s: CPU time of the clients.
    """

    clients: int
    answers: tuple[Answer, ...]
    begun_s: float
    until_s: float
    clients_cpu_s: float

    @property
    def good(self) -> list[Answer]:
        """Return the answers that hold depth."""
        return [answer for answer in self.answers if answer.status == 200]

    @property
    def refused(self) -> int:
        """Return the number of honest 503."""
        return sum(answer.refused for answer in self.answers)

    @property
    def errors(self) -> list[str]:
        """Return every other answer: its status, or why the connection failed."""
        return [
            answer.note or f"status {answer.status}"
            for answer in self.answers
            if answer.status != 200 and not answer.refused
        ]

    @property
    def per_second(self) -> float:
        """Return the answers a second while all clients asked; 0 if there were fewer than two."""
        ends = [answer.end_s for answer in self.good if answer.end_s <= self.until_s]
        return (len(ends) - 1) / (ends[-1] - ends[0]) if len(ends) > 1 else 0.0

    def latency_ms(self, percentile: float) -> float:
        """Return a percentile of the times of answers that hold depth; NaN without any."""
        times = [(answer.end_s - answer.start_s) * 1e3 for answer in self.good]
        return float(np.percentile(times, percentile)) if times else float("nan")


def run_clients(
    address: tuple[str, int],
    requests: Sequence[bytes],
    *,
    clients: int,
    seconds: float,
    at_least: int = 0,
    on_answer: Callable[[int], object] = lambda _: None,
) -> Load:
    """Let clients ask, each for the next answer as soon as it has one, and return all answers; blocks.

    Args:
        address: Host and port.
        requests: Taken in turns.
        clients: Number of connections.
        seconds: In which new requests are sent.
        at_least: Answers, for which clients go on after the time.
        on_answer: Called with the number of answers so far, in one of the clients' threads.
    """
    numbers, done = count(), count(1)
    begun_s, cpu_s = perf_counter(), process_time()
    until_s = begun_s + seconds

    def ask(_: int) -> list[Answer]:
        found: list[Answer] = []
        with _Connection(address) as connection:
            while True:
                number = next(numbers)
                if number >= at_least and perf_counter() >= until_s:
                    return found
                if found and found[-1].status != 200:
                    sleep(min(found[-1].retry_after_s or _AFTER_ERROR_S, _LONGEST_REST_S))
                found.append(connection.ask(requests[number % len(requests)]))
                on_answer(next(done))

    with ThreadPoolExecutor(clients) as pool:
        answers = [answer for found in pool.map(ask, range(clients)) for answer in found]
    answers.sort(key=lambda answer: answer.end_s)
    if at_least and answers:
        until_s = max(until_s, answers[-1].end_s)
    return Load(clients, tuple(answers), begun_s, until_s, process_time() - cpu_s)


class _Connection:
    """A connection that stays open, and is opened again after it was closed."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._socket: socket.socket | None = None
        self._buffer = bytearray(_PART_BYTES)

    def __enter__(self) -> _Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def ask(self, request: bytes) -> Answer:
        """Send a request and read its answer."""
        start_s = perf_counter()
        try:
            head, size = self._exchange(request)
        except OSError as error:
            self._close()
            return Answer(start_s, perf_counter(), 0, note=f"{type(error).__name__}: {error}")
        end_s = perf_counter()
        retry = _RETRY_AFTER.search(head)
        if b"\r\nconnection: close\r\n" in head.lower():
            self._close()
        return Answer(start_s, end_s, int(head.split()[1]), int(retry[1]) if retry else None, size)

    def _exchange(self, request: bytes) -> tuple[bytes, int]:
        """Return the head of the answer and the number of bytes of its body."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address, _TIMEOUT_S)
        self._socket.sendall(request)
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._receive()
        head, _, begun = head.partition(b"\r\n\r\n")
        head += b"\r\n"
        length = _LENGTH.search(head)
        if length is None:
            raise ConnectionError("the answer does not state its length")
        size = len(begun)
        while size < int(length[1]):
            size += len(self._receive())
        return head, size

    def _receive(self) -> memoryview:
        assert self._socket is not None
        got = self._socket.recv_into(self._buffer)
        if not got:
            raise ConnectionError("the server closed the connection within an answer")
        return memoryview(self._buffer)[:got]

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
