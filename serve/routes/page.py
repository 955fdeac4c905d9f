"""The page: files of the folder page/, which load nothing from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

router = APIRouter(include_in_schema=False)
_FOLDER = Path(__file__).resolve().parents[1] / "page"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
    ".txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the page.

    Args:
        content: Its bytes.
        media_type: For Content-Type.
        tag: For ETag.
    """

    content: bytes
    media_type: str
    tag: str


@router.get("/")
async def page(request: Request) -> Response:
    """Answer the page."""
    return _answer(request, "index.html")


@router.get("/page/{path:path}")
async def part(request: Request, path: str) -> Response:
    """Answer a file that the page loads."""
    return _answer(request, path)


@cache
def _files() -> dict[str, _File]:
    """Return the files by their path in the folder; others have no address, whatever a client writes."""
    found = {}
    for file in sorted(_FOLDER.rglob("*")):
        if file.suffix in _TYPES:
            content = file.read_bytes()
            tag = f'"{sha256(content).hexdigest()[:16]}"'
            found[file.relative_to(_FOLDER).as_posix()] = _File(content, _TYPES[file.suffix], tag)
    return found


def _answer(request: Request, path: str) -> Response:
    """Answer a file; a browser that has it is told so in a few bytes.

    Raises:
        HTTPException: 404 if the page has no such file.
    """
    file = _files().get(path)
    if file is None:
        raise HTTPException(404)
    headers = {"ETag": file.tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == file.tag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)
