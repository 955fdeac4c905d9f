"""What a client asks for: an image as the bytes of a request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from ...engine.errors import InputError
from ...engine.images.read import read_image
from ...engine.modelfile.shipped import PHOTO
from ...engine.run.sources import find_sources

Form = Literal["npy", "form"]
FORMS: tuple[Form, ...] = get_args(Form)
_BOUNDARY = "depthrt-bench"


def read_photos(inputs: Sequence[str]) -> list[bytes]:
    """Return the encoded images of files, folders and patterns; the photograph that comes with depthrt for none.

    Raises:
        InputError: There is none, or one cannot be read.
    """
    if not inputs:
        return [PHOTO.read_bytes()]
    paths = [source.name for source in find_sources(inputs) if source.kind == "image"]
    if not paths:
        raise InputError(f"no image in {', '.join(inputs)}; give images, folders or patterns")
    for path in paths:
        read_image(path)
    return [Path(path).read_bytes() for path in paths]


def make_request(photo: bytes, form: Form, fields: Sequence[tuple[str, str]] = ()) -> bytes:
    """Return a request of HTTP on a connection that stays open.

    Args:
        photo: An encoded image.
        form: "npy": the image to /v1/depth, which answers .npy; "form": the study's form to /infer, which answers a PNG
            of the image and its depth.
        fields: Of the study's form.
    """
    if form == "npy":
        return _post("/v1/depth?format=npy", "application/octet-stream", photo)
    return _post("/infer", f"multipart/form-data; boundary={_BOUNDARY}", _study_form(photo, fields))


def _study_form(photo: bytes, fields: Sequence[tuple[str, str]]) -> bytes:
    """Return the body of the study's form."""
    begin = f"--{_BOUNDARY}\r\nContent-Disposition: form-data; name="
    parts = [f'{begin}"{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields]
    file = f'{begin}"file"; filename="photo"\r\nContent-Type: application/octet-stream\r\n\r\n'.encode()
    return b"".join([*parts, file, photo, f"\r\n--{_BOUNDARY}--\r\n".encode()])


def _post(target: str, media_type: str, body: bytes) -> bytes:
    head = f"POST {target} HTTP/1.1\r\nHost: bench\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
