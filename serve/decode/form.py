"""The body of a form in, its fields and its file out, in memory: the service writes no file."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from ..refusal import Refusal, unprocessable

FORM = "multipart/form-data"
_MOST_FIELDS = 32
_MOST_FIELD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Form:
    """What a form holds.

    Args:
        file: Bytes of its file.
        fields: Texts by name.
    """

    file: bytes
    fields: Mapping[str, str]


class _InMemory(MultiPartParser):
    """Keeps files in memory, whose size the body's limit bounds."""

    spool_max_size = 0  # never on disk


def media_type(headers: Mapping[str, str]) -> str:
    """Return the type of a body without its parameters, in lower case."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_form(headers: Mapping[str, str], body: bytes, *, file_names: tuple[str, ...]) -> Form:
    """Return the one file and the fields of a form.

    Args:
        headers: Of the request.
        body: Of the request.
        file_names: Names that the field of the file may have.

    Raises:
        Refusal: 415 if the body is not a form, 422 if it is broken, lacks the file or has a field twice.
    """
    if media_type(headers) != FORM:
        raise Refusal(415, "not_a_form", f"content type {FORM} is expected")

    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    parser = _InMemory(
        Headers(dict(headers)), whole(), max_files=1, max_fields=_MOST_FIELDS, max_part_size=_MOST_FIELD_BYTES
    )
    try:
        parsed = await parser.parse()
    except (MultiPartException, UnicodeDecodeError, KeyError, ValueError):
        message = (
            f"the form is broken, or has more than 1 file, {_MOST_FIELDS} fields or {_MOST_FIELD_BYTES} bytes a field"
        )
        raise unprocessable("broken_form", message) from None
    try:
        return await _only_file(parsed.multi_items(), file_names)
    finally:
        await parsed.close()


async def _only_file(items: list[tuple[str, UploadFile | str]], file_names: tuple[str, ...]) -> Form:
    if len({name for name, _ in items}) != len(items):
        raise unprocessable("broken_form", "the form has a field twice")
    files = [(name, value) for name, value in items if isinstance(value, UploadFile)]
    if not files or files[0][0] not in file_names:
        raise unprocessable("no_image", f"the form has no file {' or '.join(map(repr, file_names))}")
    return Form(await files[0][1].read(), {name: value for name, value in items if isinstance(value, str)})
