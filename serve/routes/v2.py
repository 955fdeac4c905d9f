"""The Open Inference Protocol v2, which KServe's and Triton's clients talk.

Source: kserve/open-inference-protocol, specification/protocol/inference_rest.md
"""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from ..decode.tensors import HEADER, read_tensors
from ..encode.depth_answer import Body, depth_headers
from ..encode.tensors import SERVER, VERSION, encode_tensors, model_metadata
from ..infer.lineup import ModelFacts, check_focal
from ..refusal import Refusal
from ..replicas.replica import Task
from ..service import service_of
from ..watch.request_record import record_of
from .openapi import STOPPING, answers, body, refusals

router = APIRouter(tags=["Open Inference Protocol v2"])
_TENSOR = {
    "type": "object",
    "required": ["name", "shape", "datatype"],
    "properties": {
        "name": {"const": "image"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 1}},
        "datatype": {"enum": ["BYTES", "UINT8"]},
        "parameters": {"type": "object"},
        "data": {"type": "array"},
    },
}
_REQUEST = {
    "type": "object",
    "required": ["inputs"],
    "properties": {
        "id": {"type": "string", "maxLength": 256},
        "parameters": {"type": "object"},
        "inputs": {"type": "array", "minItems": 1, "maxItems": 1, "items": _TENSOR},
        "outputs": {"type": "array", "maxItems": 1},
    },
}


@router.get("/v2", summary="The server")
async def server() -> JSONResponse:
    """Answer name, version and extensions."""
    return JSONResponse(SERVER)


@router.get("/v2/health/live", summary="Whether the process answers")
async def live() -> JSONResponse:
    """Answer as /healthz does."""
    return JSONResponse({"live": True})


@router.get("/v2/health/ready", summary="Whether new requests are welcome", responses=STOPPING)
async def ready(request: Request) -> JSONResponse:
    """Answer as /readyz does."""
    is_ready = service_of(request).ready
    return JSONResponse({"ready": is_ready}, 200 if is_ready else 503)


@router.get("/v2/models/{name}", summary="A model", responses=refusals(401, 404))
@router.get("/v2/models/{name}/versions/{version}", include_in_schema=False)
async def metadata(request: Request, name: str, version: str = VERSION) -> JSONResponse:
    """Answer the tensors of a model."""
    return JSONResponse(model_metadata(*_find(request, name, version)))


@router.get("/v2/models/{name}/ready", summary="Whether a model is ready", responses=refusals(401, 404) | STOPPING)
@router.get("/v2/models/{name}/versions/{version}/ready", include_in_schema=False)
async def model_ready(request: Request, name: str, version: str = VERSION) -> JSONResponse:
    """Answer 200 for each served model, as long as the service is ready."""
    found, _ = _find(request, name, version)
    is_ready = service_of(request).ready
    return JSONResponse({"name": found, "ready": is_ready}, 200 if is_ready else 503)


@router.post(
    "/v2/models/{name}/infer",
    summary="Depth of an image, as tensors",
    response_class=Response,
    responses=answers(
        {"application/json": {}, "application/octet-stream": {}},
        "The tensor depth, FP32 [H, W].",
        401,
        404,
        408,
        413,
        415,
        422,
        503,
    ),
    openapi_extra={"requestBody": body({"application/json": _REQUEST, "application/octet-stream": {}})},
)
@router.post("/v2/models/{name}/versions/{version}/infer", include_in_schema=False)
async def infer(request: Request, name: str, version: str = VERSION) -> Response:
    """Answer the depth of `image`: BYTES [1], an encoded image, or UINT8 [H, W, 3], RGB."""
    service = service_of(request)
    content = await service.body(request)
    name, _ = _find(request, name, version)
    record_of(request.scope).model = name
    return await service.answer(request, partial(_tensors, content, request.headers.get(HEADER), name))


def _tensors(content: bytes, header_length: str | None, name: str, task: Task) -> Body:
    """Return the answer; called in a replica, as lists of numbers take long to read."""
    with task.stages.time("decode"):
        asked = read_tensors(content, header_length, task.limits)
    check_focal(asked.lens, *task.models.lineup.get(name))
    found = task.find(partial(asked.image, task.limits), name, lens=asked.lens)
    with task.stages.time("encode"):
        answer = encode_tensors(found.depth, name=name, id=asked.id, binary=asked.binary)
    headers: dict[str, Any] = {**answer.headers, **depth_headers(found.depth, *found.named)}
    return Body(answer.content, answer.media_type, headers)


def _find(request: Request, name: str, version: str) -> tuple[str, ModelFacts]:
    """Return the model of an address; 404 if there is none, as addresses have it."""
    service = service_of(request)
    service.check_key(request)
    if name not in service.models.names or version != VERSION:
        raise Refusal(404, "unknown_model", "no such model, see /models")
    return service.models.get(name)
