"""The study's form: an image and three fields in, one PNG of the image and its depth side by side out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from fastapi import APIRouter, Request
from starlette.responses import Response

from ...engine.model.focal_length import Lens
from ...engine.terms import Colormap
from ..decode.form import FORM, read_form
from ..decode.image import decode_image
from ..encode.depth_answer import Body, depth_headers
from ..infer.roles import AUGMENTS, role_name
from ..refusal import unprocessable
from ..replicas.replica import Task
from ..service import service_of
from ..watch.request_record import record_of
from .openapi import BINARY, answers, body, form_schema

router = APIRouter(tags=["the study's form"])
COLORMAPS: Mapping[str, Colormap] = {"grayscale": "gray", "colormap": "spectral_r"}
_FIELDS = {
    "augment": {"type": "string", "enum": list(AUGMENTS), "default": AUGMENTS[0]},
    "otype": {"type": "string", "enum": list(COLORMAPS), "default": "grayscale"},
    "pretrained": {"type": "string", "enum": ["true", "false"], "default": "false"},
}


@router.post(
    "/infer",
    summary="The study's form",
    response_class=Response,
    responses=answers({"image/png": BINARY}, "The image, 50 px of white, and its depth.", 401, 408, 413, 415, 422, 503),
    openapi_extra={"requestBody": body({FORM: form_schema("file", _FIELDS)})},
)
async def infer(request: Request) -> Response:
    """Answer an image as the study's system did: `output.png`, twice as wide as the image and 50 px."""
    service = service_of(request)
    content = await service.body(request)
    form = await read_form(request.headers, content, file_names=("file",))
    role = _role(form.fields)
    colormap = COLORMAPS[_word(form.fields, "otype", tuple(COLORMAPS))]
    name, _ = service.models.of_role(role)
    record_of(request.scope).model = name
    return await service.answer(request, partial(_draw, form.file, name, colormap))


def _draw(file: bytes, name: str, colormap: Colormap, task: Task) -> Body:
    """Return the picture of a file and its depth; called in a replica."""
    found = task.find(partial(decode_image, file, task.limits), name, lens=Lens())
    with task.stages.time("encode"):
        picture = found.depth.encode("side", image=found.image, colormap=colormap)
    headers = {"Content-Disposition": 'attachment; filename="output.png"', **depth_headers(found.depth, *found.named)}
    return Body(picture, "image/png", headers)


def _role(fields: Mapping[str, str]) -> str:
    pretrained = _word(fields, "pretrained", ("false", "true")) == "true"
    return role_name(_word(fields, "augment", AUGMENTS), pretrained=pretrained)


def _word(fields: Mapping[str, str], name: str, words: tuple[str, ...]) -> str:
    """Return the value of a field, the first word if it is missing; refuse other words."""
    value = fields.get(name, words[0])
    if value not in words:
        raise unprocessable("wrong_field", f"field {name} has a wrong value, expected one of {', '.join(words)}")
    return value
