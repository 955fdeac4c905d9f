"""Forms are read in memory, and only such as the routes take."""

from __future__ import annotations

import asyncio

import pytest

from depthrt.serve.decode.form import Form, media_type, read_form
from depthrt.serve.refusal import Refusal

HEADERS = {"content-type": "multipart/form-data; boundary=B"}


def part(name: str, value: str, file: str | None = None) -> str:
    named = "" if file is None else f'; filename="{file}"'
    return f'--B\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n{value}\r\n'


def read(body: str, headers: dict[str, str] | None = None) -> Form:
    return asyncio.run(read_form(headers or HEADERS, body.encode(), file_names=("file",)))


def test_a_file_and_fields_are_found() -> None:
    form = read(part("file", "pixels", "a.png") + part("augment", "mirror") + "--B--\r\n")
    assert form == Form(b"pixels", {"augment": "mirror"})


@pytest.mark.parametrize("name", ["../../etc/passwd", "<img src=x>", "", "a" * 3000])
def test_the_name_of_a_file_is_never_used(name: str) -> None:
    assert read(part("file", "pixels", name) + "--B--\r\n").file == b"pixels"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (part("augment", "mirror") + "--B--\r\n", "no_image"),
        (part("other", "pixels", "a.png") + "--B--\r\n", "no_image"),
        (part("file", "not a file") + "--B--\r\n", "no_image"),
        (part("file", "a", "a") + part("file", "b", "b") + "--B--\r\n", "broken_form"),
        (part("file", "a", "a") + part("x", "1") + part("x", "2") + "--B--\r\n", "broken_form"),
        (part("file", "a", "a") + part("x", "1" * 5000) + "--B--\r\n", "broken_form"),
        (part("file", "a", "a") + "".join(part(f"x{n}", "1") for n in range(40)) + "--B--\r\n", "broken_form"),
        ("no form at all", "broken_form"),
        ("", "no_image"),
    ],
)
def test_a_form_that_does_not_fit_is_refused(body: str, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        read(body)
    assert (caught.value.status, caught.value.code) == (422, code)


@pytest.mark.parametrize(
    ("kind", "status"),
    [("text/plain", 415), ("", 415), ("multipart/form-data", 422), ("multipart/form-data; boundary=", 422)],
)
def test_another_type_of_body_is_refused(kind: str, status: int) -> None:
    with pytest.raises(Refusal) as caught:
        read("x", {"content-type": kind})
    assert caught.value.status == status


def test_a_type_is_read_without_its_parameters() -> None:
    assert media_type({"content-type": "Image/PNG; q=1"}) == "image/png"
    assert media_type({}) == ""
