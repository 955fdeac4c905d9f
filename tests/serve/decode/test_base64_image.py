"""Base64 becomes bytes; nothing is fetched or opened."""

from __future__ import annotations

import base64

import pytest

from depthrt.serve.decode.base64_image import decode_base64
from depthrt.serve.refusal import Refusal

JPEG = b"\xff\xd8\xff\xe0 begins with / in base64"
TEXT = base64.b64encode(JPEG).decode()


@pytest.mark.parametrize("text", [TEXT, f"data:image/jpeg;base64,{TEXT}", base64.encodebytes(JPEG * 9).decode()])
def test_base64_is_decoded(text: str) -> None:
    assert decode_base64(text).startswith(JPEG)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("http://169.254.169.254/latest/meta-data", "address"),
        ("https://example.com/a.jpg", "address"),
        ("file:///etc/passwd", "address"),
        ("/etc/passwd.png", "address"),
        ("../../a.png", "address"),
        ("not base64!", "not_base64"),
        ("AAAé", "not_base64"),
    ],
)
def test_anything_else_is_refused(text: str, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        decode_base64(text)
    assert (caught.value.status, caught.value.code) == (422, code)
