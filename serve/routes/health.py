"""Whether the service lives, whether it is ready, what it serves, and its metrics."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from ..service import service_of
from ..watch.metrics import TEXT
from .openapi import STOPPING, refusals

router = APIRouter(tags=["operation"])


@router.get("/healthz", summary="Whether the process answers")
async def healthz() -> JSONResponse:
    """Answer 200 as long as the process answers at all."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", summary="Whether new requests are welcome", responses=STOPPING)
async def readyz(request: Request) -> JSONResponse:
    """Answer 200 once the models are loaded, checked and warm; 503 if no replica runs or the service is to stop."""
    service = service_of(request)
    if service.ready:
        return JSONResponse({"status": "ready"})
    return JSONResponse({"status": "stopping" if service.draining else "no replica runs"}, 503)


@router.get("/models", summary="The served models, and the limits of an image", responses=refusals(401))
async def models(request: Request) -> JSONResponse:
    """Answer name, roles, kind, unit, sums, licence and runner of each model; and the limits."""
    service = service_of(request)
    service.check_key(request)
    settings = service.settings
    limits = {
        "max_body_bytes": settings.max_body_bytes,
        "max_pixels": settings.max_pixels,
        "max_aspect": settings.max_aspect,
    }
    return JSONResponse({"models": service.models.describe(), "limits": limits})


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response, responses=refusals(401))
async def metrics(request: Request) -> Response:
    """Answer counts and times in the text form of Prometheus."""
    service = service_of(request)
    service.check_key(request)
    return Response(service.metrics.text(), media_type=TEXT)
