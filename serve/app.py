"""A service in, the ASGI app of it out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..engine.version import __version__
from .refusal import Refusal
from .routes import depth, health, page, pointcloud, study, v2
from .service import Service
from .watch.middleware import Watch
from .watch.request_record import record_of

_ABOUT = (
    "Depth of photographs. Errors are JSON: `error` for people, `code` for programs, `request_id` for the operator."
)
_MESSAGES: Mapping[int, tuple[str, str]] = {
    404: ("no_such_address", "there is no such address; see /openapi.json"),
    405: ("wrong_method", "this address does not take this method; see /openapi.json"),
}


def create_app(service: Service) -> FastAPI:
    """Return the app; it closes the service when it is shut down."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    # Documentation pages of FastAPI load scripts from elsewhere.
    app = FastAPI(
        title="depthrt", version=__version__, description=_ABOUT, lifespan=lifespan, docs_url=None, redoc_url=None
    )
    app.state.service = service
    for module in (page, health, study, depth, pointcloud, v2):
        app.include_router(module.router)
    app.add_middleware(Watch, metrics=service.metrics, draining=lambda: service.draining, free=service.bodies.free)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _not_found)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return _json(request, error, {})


async def _invalid(request: Request, error: Exception) -> Response:
    return _json(request, Refusal(422, "wrong_value", "a value of the request is wrong; see /openapi.json"), {})


async def _not_found(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, message = _MESSAGES.get(error.status_code, ("refused", "the request is refused"))
    return _json(request, Refusal(error.status_code, code, message), dict(error.headers or {}))


def _json(request: Request, refusal: Refusal, headers: dict[str, Any]) -> Response:
    record = record_of(request.scope)
    record.code = refusal.code
    return JSONResponse(refusal.to_dict(record.id), refusal.status, headers={**headers, **refusal.headers})
