"""The body of an Open Inference Protocol v2 request in, its image out; tensors stand in JSON or, binary, after it.

Source: kserve/open-inference-protocol, specification/protocol (inference_rest.md, extension_binary_data.md)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import InputError
from ...engine.images.limits import Limits
from ...engine.model.focal_length import Lens
from ...engine.system.json_object import parse_object
from ...engine.terms import INPUT, OUTPUT
from ..refusal import unprocessable
from .base64_image import decode_base64
from .image import check_size, decode_image
from .options import read_options

HEADER = "Inference-Header-Content-Length"
_LENGTH_BYTES = 4  # before each element of a binary BYTES tensor, little-endian
_MOST_ID = 256

Json = Any


@dataclass(frozen=True, slots=True)
class TensorRequest:
    """A request of the protocol.

    Args:
        id: The client's name of the request.
        encoded: The bytes of an image file; None if `pixels` is given.
        pixels: (H, W, 3) uint8 RGB.
        binary: Whether the answer is binary.
        lens: From the parameters focal_px and fov.
    """

    id: str | None
    encoded: bytes | None
    pixels: NDArray[np.uint8] | None
    binary: bool
    lens: Lens

    def image(self, limits: Limits) -> NDArray[np.uint8]:
        """Return the image, (H, W, 3) uint8 BGR; raises as decode_image."""
        if self.pixels is None:
            assert self.encoded is not None
            return decode_image(self.encoded, limits)
        return np.ascontiguousarray(self.pixels[..., ::-1])


def read_tensors(body: bytes, header_length: str | None, limits: Limits) -> TensorRequest:
    """Return a request.

    Args:
        body: Of the request.
        header_length: Value of HEADER: bytes of JSON, before the binary tensors; None if the body is JSON.
        limits: Of an image of pixels; that of an encoded one is checked when it is decoded.

    Raises:
        Refusal: 422 if it breaks the protocol, or asks for what the model does not have; 413 for too many pixels.
    """
    head, tail = _split(body, header_length)
    try:
        found = parse_object(head, name="body", remedy="see the protocol", failure=InputError)
    except InputError:
        _refuse("the request is not a JSON object")
    tensor = _only_input(found)
    binary_bytes = _parameters(tensor).get("binary_data_size")
    if binary_bytes is not None and (type(binary_bytes) is not int or binary_bytes != len(tail)):
        _refuse(f"binary_data_size does not match the {len(tail)} bytes after the JSON")
    data = tail if binary_bytes is not None else tensor.get("data")
    shape, datatype = _shape(tensor), tensor.get("datatype")
    request_id = found.get("id")
    if request_id is not None and not (isinstance(request_id, str) and len(request_id) <= _MOST_ID):
        _refuse(f"id is not a text of up to {_MOST_ID} characters")
    encoded, pixels = None, None
    if datatype == "BYTES":
        encoded = _element(shape, data)
    elif datatype == "UINT8":
        pixels = _pixels(shape, data, limits)
    else:
        _refuse("datatype of the image is expected to be BYTES or UINT8")
    return TensorRequest(request_id, encoded, pixels, _wants_binary(found), _lens(found))


def _split(body: bytes, header_length: str | None) -> tuple[bytes, bytes]:
    if header_length is None:
        return body, b""
    if not (
        header_length.isascii()
        and header_length.isdigit()
        and len(header_length) < 12
        and int(header_length) <= len(body)
    ):
        _refuse(f"{HEADER} is not a number of bytes of the body")
    return body[: int(header_length)], body[int(header_length) :]


def _only_input(found: Mapping[str, Json]) -> dict[str, Json]:
    tensors = found.get("inputs")
    if not isinstance(tensors, list) or len(tensors) != 1 or not isinstance(tensors[0], dict):
        _refuse(f"one input is expected, {INPUT!r}")
    if tensors[0].get("name") != INPUT:
        _refuse(f"the input is expected to have the name {INPUT!r}")
    return dict(tensors[0])


def _parameters(found: Mapping[str, Json]) -> dict[str, Json]:
    parameters = found.get("parameters", {})
    return dict(parameters) if isinstance(parameters, dict) else {}


def _shape(tensor: Mapping[str, Json]) -> tuple[int, ...]:
    shape = tensor.get("shape")
    if (
        not isinstance(shape, list)
        or len(shape) > 4
        or not all(type(side) is int and 0 < side < 1 << 31 for side in shape)
    ):
        _refuse("shape of the image is expected to be a list of whole numbers above 0")
    return tuple(shape)


def _element(shape: tuple[int, ...], data: Json) -> bytes:
    """Return the only element of a BYTES tensor: a file in base64 in JSON, its bytes otherwise."""
    if any(side != 1 for side in shape):
        _refuse("shape of an image of BYTES is expected to be [1]")
    if isinstance(data, bytes):
        length = int.from_bytes(data[:_LENGTH_BYTES], "little")
        if len(data) != _LENGTH_BYTES + length:
            _refuse("an element of BYTES has another length than it states")
        return data[_LENGTH_BYTES:]
    if not isinstance(data, list) or len(data) != 1 or not isinstance(data[0], str):
        _refuse("data of an image of BYTES is expected to be a list of one text in base64")
    return decode_base64(data[0])


def _pixels(shape: tuple[int, ...], data: Json, limits: Limits) -> NDArray[np.uint8]:
    """Return the pixels (H, W, 3) of a UINT8 tensor."""
    if len(shape) != 3 or shape[2] != 3:
        _refuse("shape of an image of UINT8 is expected to be [H, W, 3], RGB")
    check_size(shape[0], shape[1], limits)
    if isinstance(data, bytes):
        flat = np.frombuffer(data, np.uint8)
    else:
        try:
            wide = np.asarray(data, np.int64).ravel()
        except (ValueError, TypeError, OverflowError):
            _refuse("data of an image of UINT8 is expected to be whole numbers")
        if wide.size and (wide.min() < 0 or wide.max() > 255):
            _refuse("data of an image of UINT8 is expected to be from 0 to 255")
        flat = wide.astype(np.uint8)
    if flat.size != shape[0] * shape[1] * 3:
        _refuse(f"the image has {flat.size} values, its shape has {shape[0] * shape[1] * 3}")
    return flat.reshape(shape)


def _wants_binary(found: Mapping[str, Json]) -> bool:
    """Return whether the answer is asked for as binary; refuse outputs that do not exist."""
    outputs = found.get("outputs") or [{"name": OUTPUT}]
    if not isinstance(outputs, list) or [one.get("name") if isinstance(one, dict) else None for one in outputs] != [
        OUTPUT
    ]:
        _refuse(f"one output is expected, {OUTPUT!r}")
    wanted = _parameters(outputs[0]).get("binary_data", _parameters(found).get("binary_data_output", False))
    return wanted is True


def _lens(found: Mapping[str, Json]) -> Lens:
    parameters = _parameters(found)
    given = {name: parameters[name] for name in ("focal_px", "fov") if name in parameters}
    if any(type(value) not in (int, float) for value in given.values()):
        _refuse("focal_px and fov are expected to be numbers")
    options = read_options([(name, repr(value)) for name, value in given.items()], ("focal_px", "fov"))
    return Lens(options.focal_px, options.fov_deg)


def _refuse(message: str) -> NoReturn:
    raise unprocessable("wrong_tensor", message)
