"""A request for bytes: a token stays with its host, and every refusal is one line."""

from __future__ import annotations

import http.client

import pytest
from published_files import Publisher

from depthrt import FetchError
from depthrt.export.download.remote import RemoteFile, Unavailable, Unreachable, reason_of, request


@pytest.fixture
def file(publisher: Publisher) -> RemoteFile:
    publisher.releases["a/b/v1/model.pt"] = b"content"
    return RemoteFile(
        "model.pt",
        f"{publisher.address}/a/b/releases/download/v1/model.pt",
        "https://example.org/a",
        headers={"authorization": "Bearer secret"},
    )


def test_a_redirect_to_another_host_does_not_get_the_token(file: RemoteFile, publisher: Publisher) -> None:
    with request(file, 0, "").stream as stream:
        assert stream.read() == b"content"
    assert [asked.token for asked in publisher.asked] == ["Bearer secret", ""]


def test_a_part_is_asked_for_by_its_first_byte(file: RemoteFile) -> None:
    whole = request(file, 0, "")
    part = request(file, 3, whole.tag)
    assert (whole.first, whole.total, part.first, part.total) == (0, 7, 3, 7)
    assert part.stream.read() == b"tent"
    assert request(file, 3, '"another"').first == 0, "the file has changed"
    assert request(file, 7, whole.tag).first == 0, "there is no such part"


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (401, FetchError, r"401 Unauthorized; open https://example.org/a, accept its conditions .* give a token"),
        (403, FetchError, r"403 Forbidden; open https://example.org/a"),
        (404, FetchError, r"404 Not Found; look at https://example.org/a"),
        (429, Unavailable, r"429 Too Many Requests"),
        (503, Unavailable, r"503 Service Unavailable"),
    ],
)
def test_what_the_server_refuses_is_one_line(
    status: int, error: type[Exception], message: str, file: RemoteFile, publisher: Publisher
) -> None:
    publisher.status = [status]
    with pytest.raises(error, match=message):
        request(file, 0, "")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "http://no-such-host.invalid/x"])
def test_no_server_is_told_from_a_busy_one(url: str) -> None:
    with pytest.raises(Unreachable):
        request(RemoteFile("x", url, ""), 0, "")


def test_a_reason_is_few_words() -> None:
    assert reason_of(http.client.IncompleteRead(b"")) == "the connection was cut"
    assert reason_of(TimeoutError("timed out")) == "timed out"
