"""The JSON body of LocalAI's depth route in, the image's bytes and the model's name out.

Source: mudler/LocalAI, core/http/endpoints/localai/depth.go (the names of the fields)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from ...engine.errors import InputError
from ...engine.system.field_types import Length, Text
from ...engine.system.json_object import parse_object
from ...engine.system.records import read_record
from ..refusal import unprocessable

JSON = "application/json"
Short = Annotated[str, Text(0, 255)]


@dataclass(frozen=True, slots=True)
class LocalAiRequest:
    """What LocalAI's clients send.

    Args:
        image: In base64, or as a `data:` address.
        model: Name of a served model.
        dst, exports: A folder and files of the server: refused unless empty.
        include_depth, include_confidence, include_pose, include_sky, include_points: Taken and not used: the answer
            holds depth.
        points_conf_thresh: Taken and not used.
    """

    OPTIONAL: ClassVar = (
        "model",
        "dst",
        "exports",
        "include_depth",
        "include_confidence",
        "include_pose",
        "include_sky",
        "include_points",
        "points_conf_thresh",
    )

    image: str
    model: Short | None = None
    dst: Short | None = None
    exports: Annotated[tuple[Short, ...], Length(0, 16)] | None = None
    include_depth: bool | None = None
    include_confidence: bool | None = None
    include_pose: bool | None = None
    include_sky: bool | None = None
    include_points: bool | None = None
    points_conf_thresh: float | None = None


def read_local_ai(body: bytes) -> LocalAiRequest:
    """Return a request of LocalAI's form.

    Raises:
        Refusal: 422 if the body is not one, or asks for files on the server.
    """
    try:
        found = parse_object(body, name="body", remedy="send a JSON object", failure=InputError)
    except InputError:
        raise unprocessable("not_json", "the body is not a JSON object") from None
    try:
        request = read_record(LocalAiRequest, found, name="body", remedy="see /openapi.json", failure=InputError)
    except InputError as error:
        raise unprocessable("wrong_field", str(error)) from None  # it names the field and what it may hold
    if request.dst or request.exports:
        raise unprocessable("server_path", "dst and exports ask for files on the server, which writes none")
    return request
