"""`/v1/depth`: an image as a body, in a form or in JSON in; depth in the form that the client accepts out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from fastapi import APIRouter, Request
from starlette.responses import Response

from ...engine.model.focal_length import Lens
from ..decode.base64_image import decode_base64
from ..decode.form import FORM, media_type, read_form
from ..decode.image import decode_image
from ..decode.local_ai import JSON, read_local_ai
from ..decode.options import OF_DEPTH, Answer, Options, read_options
from ..encode.accept import MEDIA_TYPES, choose_answer
from ..encode.depth_answer import Body, depth_headers, encode_depth
from ..infer.lineup import check_focal
from ..refusal import Refusal
from ..replicas.replica import Task
from ..service import service_of
from ..watch.request_record import record_of
from .openapi import BINARY, answers, body, form_schema, option_schemas, query

router = APIRouter(tags=["depth"])
FILE_NAMES = ("file", "image")
_PLAIN = "application/octet-stream"
_CURLS = "application/x-www-form-urlencoded"  # what curl says of a body unless told otherwise
_LOCAL_AI_SCHEMA = {
    "type": "object",
    "required": ["image"],
    "additionalProperties": False,
    "properties": {
        "image": {"type": "string", "format": "byte", "description": "A file in base64, or a data: address of it."},
        "model": {"type": "string", "maxLength": 255},
        **{f"include_{name}": {"type": "boolean"} for name in ("depth", "confidence", "pose", "sky", "points")},
        "points_conf_thresh": {"type": "number"},
    },
}
_LOCAL_AI_ANSWER = {
    "type": "object",
    "required": ["width", "height", "depth", "is_metric"],
    "properties": {
        "width": {"type": "integer"},
        "height": {"type": "integer"},
        "depth": {"type": "array", "items": {"type": ["number", "null"]}, "description": "Row by row; null for none."},
        "is_metric": {"type": "boolean"},
        "kind": {"type": "string"},
        "unit": {"type": "string"},
    },
}
_ANSWERS = {kind: _LOCAL_AI_ANSWER if kind == JSON else BINARY for kind in MEDIA_TYPES.values()}


@dataclass(frozen=True, slots=True)
class Sent:
    """What a client sent.

    Args:
        file: Bytes of the image.
        options: From the address and the form.
        otherwise: The answer for a client that accepts anything.
    """

    file: bytes
    options: Options
    otherwise: Answer


@router.post(
    "/v1/depth",
    summary="Depth of an image",
    response_class=Response,
    responses=answers(_ANSWERS, "Depth.", 401, 406, 408, 413, 415, 422, 503),
    openapi_extra={
        "parameters": query(OF_DEPTH),
        "requestBody": body(
            {
                "image/*": BINARY,
                _PLAIN: BINARY,
                FORM: form_schema(FILE_NAMES[0], option_schemas(OF_DEPTH)),
                JSON: _LOCAL_AI_SCHEMA,
            }
        ),
    },
)
async def depth(request: Request) -> Response:
    """Answer depth at the image's size: npy by default, other forms by Accept or `format`.

    Headers say kind, unit, model, its sums, runner and precision. A JSON body is read, and by default answered, as
    LocalAI does it.
    """
    service = service_of(request)
    content = await service.body(request)
    sent = await read_sent(request, content, OF_DEPTH)
    form = sent.options.format or choose_answer(request.headers.get("accept", ""), otherwise=sent.otherwise)
    name, facts = service.models.get(sent.options.model)
    record_of(request.scope).model = name
    lens = Lens(sent.options.focal_px, sent.options.fov_deg)
    check_focal(lens, name, facts)
    return await service.answer(request, partial(_answer, sent, name, form, lens))


def _answer(sent: Sent, name: str, form: Answer, lens: Lens, task: Task) -> Body:
    """Return the answer; called in a replica."""
    read = partial(decode_image, sent.file, task.limits)
    found = task.find(read, name, lens=lens, max_side_px=sent.options.max_side_px)
    with task.stages.time("encode"):
        answer = encode_depth(found.depth, form, sent.options)
    return replace(answer, headers={**answer.headers, **depth_headers(found.depth, *found.named)})


async def read_sent(request: Request, content: bytes, names: tuple[str, ...]) -> Sent:
    """Return what a client sent, by the type of the body.

    Args:
        request: Its headers and its address are read.
        content: The body.
        names: Of the options that the route takes.

    Raises:
        Refusal: 415 for another type of body; 422 for a wrong value.
    """
    kind, address = media_type(request.headers), request.query_params.multi_items()
    if kind == FORM:
        form = await read_form(request.headers, content, file_names=FILE_NAMES)
        return Sent(form.file, read_options([*address, *form.fields.items()], names), "npy")
    if kind == JSON:
        asked = read_local_ai(content)
        model = [] if asked.model is None else [("model", asked.model)]
        return Sent(decode_base64(asked.image), read_options([*address, *model], names), "json")
    if kind.startswith("image/") or kind in (_PLAIN, _CURLS, ""):
        return Sent(content, read_options(address, names), "npy")
    expected = f"an image, {_PLAIN}, {FORM} or {JSON}"
    raise Refusal(415, "unknown_type", f"the body has another content type than expected: {expected}")
