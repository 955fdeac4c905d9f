"""The page: files of the folder page/, which load nothing from elsewhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

router = APIRouter(include_in_schema=False)
_FOLDER = Path(__file__).resolve().parents[1] / "page"


@cache
def _read(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()


@router.get("/")
async def page() -> Response:
    """Answer the page."""
    return Response(_read("index.html"), media_type="text/html; charset=utf-8")


@router.get("/page.css")
async def style() -> Response:
    """Answer the page's style."""
    return Response(_read("page.css"), media_type="text/css; charset=utf-8")
