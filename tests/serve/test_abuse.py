"""What strangers send to a public service: it answers or refuses, stays alive, and its memory stays bounded."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from hostile_uploads import BOMBS, NAMES, POLYGLOTS, SCRIPT, make_bomb
from served import MOST_CONNECTIONS, PHOTO
from tiny_model import TinyModel

from depthrt.bench.load.server_process import ServerProcess

WAIT_S = 60.0
GIB = 1 << 30
PIECE = bytes(1 << 18)
BODY_BYTES = 4 << 20  # largest body of the service under test
IN_FLIGHT_BYTES = 24 << 20  # beyond that: what is read and thrown away, and what the system's buffers hold
ROOM_MIB = 160.0  # far below what the bombs hold
OCTETS = "application/octet-stream"


class Answer:
    """An answer: its status, headers and body."""

    def __init__(self, connection: HTTPConnection) -> None:
        found = connection.getresponse()
        self.status, self.headers, self.body = found.status, found.headers, found.read()

    @property
    def code(self) -> str:
        found: str = json.loads(self.body)["code"]
        return found


@contextmanager
def connected(process: ServerProcess) -> Iterator[HTTPConnection]:
    connection = HTTPConnection(process.host, process.port, timeout=WAIT_S)
    try:
        yield connection
    finally:
        connection.close()


def post(process: ServerProcess, target: str, body: bytes, headers: dict[str, str] | None = None) -> Answer:
    with connected(process) as connection:
        connection.request("POST", target, body, headers or {"Content-Type": OCTETS})
        return Answer(connection)


@pytest.fixture(autouse=True)
def _stays_alive(process: ServerProcess) -> Iterator[None]:
    """Hold every test to a bound of memory, and ask for depth after it."""
    assert post(process, "/v1/depth", PHOTO).status == 200
    before_mib = process.peak_mib()
    yield
    assert post(process, "/v1/depth", PHOTO).status == 200
    assert process.peak_mib() - before_mib <= ROOM_MIB


def test_a_body_of_a_gigabyte_is_refused_before_it_is_read(process: ServerProcess) -> None:
    with connected(process) as connection:
        connection.putrequest("POST", "/v1/depth")
        connection.putheader("Content-Length", str(GIB))
        connection.endheaders(PIECE)
        answer = Answer(connection)
    assert (answer.status, answer.code) == (413, "large_body")


def test_a_body_without_an_end_is_refused_at_the_limit(process: ServerProcess) -> None:
    sent = 0
    with connected(process) as connection:
        connection.putrequest("POST", "/v1/depth")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders()
        with suppress(ConnectionError):  # the server does not read on
            while sent < GIB:
                connection.send(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))
                sent += len(PIECE)
    assert BODY_BYTES <= sent <= BODY_BYTES + IN_FLIGHT_BYTES


def test_a_slow_body_is_given_up(process: ServerProcess) -> None:
    begun = monotonic()
    with connected(process) as connection:
        connection.putrequest("POST", "/v1/depth")
        connection.putheader("Content-Length", "1000")
        connection.endheaders(b"x")
        answer = Answer(connection)
    assert (answer.status, answer.code) == (408, "slow_body") and monotonic() - begun < WAIT_S / 2


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_takes_no_more_memory_than_an_image(process: ServerProcess, bomb: str) -> None:
    answer = post(process, "/v1/depth", make_bomb(bomb))
    assert answer.status in ((413, 422) if "png with" not in bomb else (200, 413, 422)), answer.body[:200]


@pytest.mark.parametrize("polyglot", POLYGLOTS)
def test_a_file_of_two_kinds_is_an_image_or_nothing(process: ServerProcess, polyglot: str) -> None:
    answer = post(process, "/v1/depth?format=png", POLYGLOTS[polyglot])
    assert answer.status in (200, 415, 422)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == ("image/png" if answer.status == 200 else "application/json")
    assert SCRIPT not in answer.body and b"root:" not in answer.body, "metadata of the image do not come back"


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_the_name_of_a_file_goes_nowhere(process: ServerProcess, name: str) -> None:
    begin = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    answer = post(
        process,
        "/infer",
        begin + PHOTO + b"\r\n--b--\r\n",
        {"Content-Type": "multipart/form-data; boundary=b"},
    )
    told = f"{answer.headers}".encode() + answer.body
    assert answer.status in (200, 422) and name.encode() not in told and "Set-Cookie" not in answer.headers
    assert not Path("/tmp/depthrt-was-here.png").exists()


@pytest.mark.parametrize("target", ["/infer", "/v1/depth", "/v1/pointcloud?fov=60", "/v2/models/mirror/infer"])
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", SCRIPT),
        ("application/xml", b"<a/>"),
        ("application/json", b"[" * 100_000),
        ("application/json", b'{"image": 1e999}'),
        ("application/json", b"\xff\xfe"),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx'),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\n" * 20_000),
        ("image/png", b""),
        ("\xff", b"x"),
    ],
    ids=range(10),
)
def test_a_wrong_body_is_refused_in_json(process: ServerProcess, target: str, kind: str, body: bytes) -> None:
    answer = post(process, target, body, {"Content-Type": kind})
    assert 400 <= answer.status < 500 and answer.code


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /infer HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST /infer HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        b"POST /infer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=range(9),
)
def test_a_broken_head_is_no_error_of_the_server(process: ServerProcess, head: bytes) -> None:
    with socket.create_connection((process.host, process.port), WAIT_S) as client:
        client.sendall(head)
        client.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            status = client.recv(1 << 16).split(maxsplit=2)[1:2]
            assert status == [] or 200 <= int(status[0]) < 500


def test_more_connections_than_allowed_are_told_to_come_back(process: ServerProcess) -> None:
    with ExitStack() as stack:
        opened = [
            stack.enter_context(socket.create_connection((process.host, process.port), WAIT_S))
            for _ in range(MOST_CONNECTIONS + 1)
        ]
        answer = opened[-1].recv(1 << 16)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ") and b"Retry-After: 2" in head and b"nosniff" in head
        found: dict[str, Any] = json.loads(body)
        assert found["code"] == "connections" and found.keys() == {"error", "code", "request_id"}
        assert opened[-1].recv(1) == b"", "it is closed"
    begun = monotonic()
    while post(process, "/v1/depth", PHOTO).status != 200:
        assert monotonic() - begun < WAIT_S, "places of closed connections are free again"
        sleep(0.05)


def test_a_second_request_reads_no_weights(process: ServerProcess, tiny: TinyModel) -> None:
    files = [Path(f"/proc/{process.pid}/{name}") for name in ("io", "maps")]
    if not all(file.exists() for file in files):
        pytest.skip("the system does not tell what a process reads")
    before = [file.read_text() for file in files]
    for _ in range(3):
        assert post(process, "/v1/depth?model=mirror", PHOTO).status == 200
    after = [file.read_text() for file in files]
    read = [dict(line.split(": ") for line in text.splitlines())["rchar"] for text in (before[0], after[0])]
    weights = [line.split()[-1] for line in after[1].splitlines() if line.endswith((".onnx", ".data"))]
    sockets = 4 * (len(PHOTO) + 1000)  # count as reading with some event loops
    assert int(read[1]) - int(read[0]) <= sockets < tiny.onnx.stat().st_size / 2
    assert weights == []
