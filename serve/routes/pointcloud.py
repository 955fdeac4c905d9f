"""`/v1/pointcloud`: an image and its camera in, a PLY file of coloured points in metres out."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request
from starlette.responses import Response

from ...engine.model.focal_length import Lens
from ...engine.terms import MEANINGS
from ..decode.form import FORM
from ..decode.image import decode_image
from ..decode.options import OF_POINTS
from ..encode.depth_answer import Body, depth_headers
from ..encode.ply import PLY, encode_ply, no_metres, read_camera
from ..replicas.replica import Task
from ..service import service_of
from ..watch.request_record import record_of
from .depth import FILE_NAMES, Sent, read_sent
from .openapi import BINARY, answers, body, form_schema, option_schemas, query

router = APIRouter(tags=["depth"])


@router.post(
    "/v1/pointcloud",
    summary="Points in space of an image",
    response_class=Response,
    responses=answers({PLY: BINARY}, "A binary PLY file.", 401, 408, 413, 415, 422, 503),
    openapi_extra={
        "parameters": query(OF_POINTS),
        "requestBody": body({"image/*": BINARY, FORM: form_schema(FILE_NAMES[0], option_schemas(OF_POINTS))}),
    },
)
async def pointcloud(request: Request) -> Response:
    """Answer the points of a metric model: x right, y down, z forward. Depth of other kinds is refused."""
    service = service_of(request)
    content = await service.body(request)
    sent = await read_sent(request, content, OF_POINTS)
    name, facts = service.models.get(sent.options.model)
    record_of(request.scope).model = name
    read_camera(sent.options, (1, 1), (1, 1))  # refuses a missing one before the work
    if not MEANINGS[facts.kind_with_lens].unit:
        raise no_metres(facts.kind_with_lens)
    lens = Lens(sent.options.focal_px, sent.options.fov_deg) if facts.takes_focal else Lens()
    return await service.answer(request, partial(_points, sent, name, lens))


def _points(sent: Sent, name: str, lens: Lens, task: Task) -> Body:
    """Return the file; called in a replica."""
    options = sent.options
    read = partial(decode_image, sent.file, task.limits)
    found = task.find(read, name, lens=lens, max_side_px=options.max_side_px)
    with task.stages.time("encode"):
        cloud = encode_ply(found.depth, found.image, read_camera(options, found.sent_px, found.depth.shape))
    headers = {"Content-Disposition": 'attachment; filename="points.ply"', **depth_headers(found.depth, *found.named)}
    return Body(cloud, PLY, headers)
