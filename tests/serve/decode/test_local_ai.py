"""LocalAI's requests are read, apart from those for files on the server."""

from __future__ import annotations

import json

import pytest

from depthrt.serve.decode.local_ai import read_local_ai
from depthrt.serve.refusal import Refusal


def test_a_request_of_a_client_is_read() -> None:
    body = {"model": "m", "image": "AAAA", "include_depth": True, "points_conf_thresh": 0.5, "dst": "", "exports": []}
    request = read_local_ai(json.dumps(body).encode())
    assert (request.model, request.image) == ("m", "AAAA")


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b"[1]", "not_json", "not a JSON object"),
        (b"{", "not_json", "not a JSON object"),
        (b"\xff", "not_json", "not a JSON object"),
        (b'{"model": "m"}', "wrong_field", "body.image is missing"),
        (b'{"image": 7}', "wrong_field", "body.image is 7, expected text"),
        (b'{"image": "A", "url": "http://x"}', "wrong_field", "body.url is an unknown key"),
        (b'{"image": "A", "dst": "/tmp/out"}', "server_path", "files on the server"),
        (b'{"image": "A", "exports": ["glb"]}', "server_path", "files on the server"),
        (b"[" * 100_000, "not_json", "not a JSON object"),
    ],
)
def test_a_wrong_body_is_refused(body: bytes, code: str, message: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_local_ai(body)
    assert (caught.value.status, caught.value.code) == (422, code)
    assert message in caught.value.message
