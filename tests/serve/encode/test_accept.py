"""A client gets the form that it likes best, and JSON only if it says so."""

from __future__ import annotations

import pytest

from depthrt.serve.decode.options import ANSWERS, Answer
from depthrt.serve.encode.accept import MEDIA_TYPES, choose_answer
from depthrt.serve.refusal import Refusal

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize("answer", ANSWERS)
def test_each_form_is_had_by_its_type(answer: Answer) -> None:
    assert choose_answer(MEDIA_TYPES[answer]) == answer


@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        ("", "npy"),
        ("*/*", "npy"),
        (BROWSER, "npy"),
        ("application/*", "npy"),
        ("image/*", "png"),
        ("IMAGE/PNG ; bits=16", "png16"),
        ("application/json, */*;q=0.1", "json"),
        ("application/json;q=0.1, image/png", "png"),
        ("application/x-npy;q=0, */*", "npz"),
        ("image/png;q=0.5, image/x-exr;q=0.6", "exr"),
        ("image/png;q=high, application/x-npz;q=0.1", "npz"),
    ],
)
def test_a_header_is_weighed(accept: str, answer: Answer) -> None:
    assert choose_answer(accept) == answer


def test_who_sent_json_and_accepts_anything_gets_json() -> None:
    assert choose_answer("*/*", otherwise="json") == "json"
    assert choose_answer("image/png", otherwise="json") == "png"


@pytest.mark.parametrize("accept", ["text/html", "image/jpeg", "*/*;q=0", "a" * 10_000])
def test_a_client_that_accepts_none_is_told_which_there_are(accept: str) -> None:
    with pytest.raises(Refusal) as caught:
        choose_answer(accept)
    assert caught.value.status == 406 and "image/png" in caught.value.message
