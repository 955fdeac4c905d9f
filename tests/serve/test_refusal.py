"""A refusal tells clients what they may know."""

from __future__ import annotations

from depthrt.serve.refusal import Refusal, unprocessable


def test_a_refusal_is_json_that_every_client_reads() -> None:
    body = Refusal(503, "queue_full", "the queue is full", retry_after_s=3).to_dict("abc")
    assert body == {"error": "the queue is full", "code": "queue_full", "request_id": "abc"}


def test_the_headers_say_when_to_come_back_and_how_to_name_oneself() -> None:
    assert Refusal(503, "x", "y", retry_after_s=3).headers == {"Retry-After": "3"}
    assert Refusal(401, "x", "y").headers == {"WWW-Authenticate": "Bearer"}
    assert unprocessable("x", "y").headers == {} and unprocessable("x", "y").status == 422
