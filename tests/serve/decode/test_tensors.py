"""Requests of the Open Inference Protocol are read in both of their forms."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from made_image import crop_of_photo
from served import PHOTO

from depthrt.engine.images.limits import DEFAULT_LIMITS, Limits
from depthrt.engine.model.focal_length import Lens
from depthrt.serve.decode.tensors import TensorRequest, read_tensors
from depthrt.serve.refusal import Refusal

IMAGE = crop_of_photo()
RGB = np.ascontiguousarray(IMAGE[..., ::-1])
BYTES = {"name": "image", "shape": [1], "datatype": "BYTES"}
UINT8 = {"name": "image", "shape": [60, 90, 3], "datatype": "UINT8"}


def read(found: dict[str, Any], tail: bytes | None = None) -> TensorRequest:
    head = json.dumps(found).encode()
    return read_tensors(head + (tail or b""), None if tail is None else str(len(head)), DEFAULT_LIMITS)


def element(data: bytes) -> bytes:
    return len(data).to_bytes(4, "little") + data


def binary(tensor: dict[str, Any], tail: bytes) -> TensorRequest:
    return read({"inputs": [{**tensor, "parameters": {"binary_data_size": len(tail)}}]}, tail)


@pytest.mark.parametrize(
    "request_of",
    [
        lambda: read({"inputs": [{**BYTES, "data": [base64.b64encode(PHOTO).decode()]}]}),
        lambda: binary(BYTES, element(PHOTO)),
        lambda: read({"inputs": [{**UINT8, "data": RGB.tolist()}]}),
        lambda: read({"inputs": [{**UINT8, "data": RGB.ravel().tolist()}]}),
        lambda: binary(UINT8, RGB.tobytes()),
    ],
    ids=["bytes", "binary bytes", "nested", "flat", "binary"],
)
def test_the_image_is_the_same_in_every_form(request_of: Any) -> None:  # noqa: ANN401
    assert np.array_equal(request_of().image(DEFAULT_LIMITS), IMAGE)


def test_id_output_and_camera_are_read() -> None:
    found = read(
        {
            "id": "7",
            "parameters": {"focal_px": 500, "sequence_id": 3},
            "inputs": [{**BYTES, "data": ["AAAA"]}],
            "outputs": [{"name": "depth", "parameters": {"binary_data": True}}],
        }
    )
    assert (found.id, found.binary, found.lens) == ("7", True, Lens(500))
    whole = read({"parameters": {"binary_data_output": True}, "inputs": [{**BYTES, "data": ["AAAA"]}]})
    assert whole.binary and whole.lens == Lens()


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({}, "one input is expected, 'image'"),
        ({"inputs": [BYTES, BYTES]}, "one input"),
        ({"inputs": [{**BYTES, "name": "x"}]}, "the name 'image'"),
        ({"inputs": [{**BYTES, "datatype": "FP32", "data": [1]}]}, "BYTES or UINT8"),
        ({"inputs": [{**BYTES, "shape": [2], "data": ["AA==", "AA=="]}]}, "expected to be [1]"),
        ({"inputs": [{**BYTES, "shape": [0]}]}, "whole numbers above 0"),
        ({"inputs": [{**BYTES, "shape": [True]}]}, "whole numbers above 0"),
        ({"inputs": [BYTES]}, "a list of one text in base64"),
        ({"inputs": [{**UINT8, "shape": [60, 90], "data": []}]}, "[H, W, 3], RGB"),
        ({"inputs": [{**UINT8, "data": [1, 2]}]}, "the image has 2 values, its shape has 16200"),
        ({"inputs": [{**UINT8, "data": [256]}]}, "from 0 to 255"),
        ({"inputs": [{**UINT8, "data": ["a"]}]}, "whole numbers"),
        ({"inputs": [{**UINT8, "data": [[1], [1, 2]]}]}, "whole numbers"),
        ({"inputs": [{**BYTES, "parameters": {"binary_data_size": 5}}]}, "does not match the 0 bytes"),
        ({"inputs": [{**BYTES, "data": ["AAAA"]}], "outputs": [{"name": "x"}]}, "one output is expected, 'depth'"),
        ({"inputs": [{**BYTES, "data": ["AAAA"]}], "id": 7}, "id is not a text"),
        ({"inputs": [{**BYTES, "data": ["AAAA"]}], "parameters": {"fov": "60"}}, "expected to be numbers"),
        ({"inputs": [{**BYTES, "data": ["AAAA"]}], "parameters": {"fov": 60, "focal_px": 500}}, "not both"),
        ({"inputs": [{**BYTES, "data": ["AAAA"]}], "parameters": {"fov": 190}}, "option fov has a wrong value"),
    ],
)
def test_a_wrong_request_is_named(found: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal) as caught:
        read(found)
    assert caught.value.status == 422 and message in caught.value.message


@pytest.mark.parametrize(("body", "length"), [(b"{}", "3"), (b"{}", "-1"), (b"{}", "x"), (b"{", None), (b"", None)])
def test_a_broken_head_is_refused(body: bytes, length: str | None) -> None:
    with pytest.raises(Refusal):
        read_tensors(body, length, DEFAULT_LIMITS)


def test_an_element_that_lies_about_its_length_is_refused() -> None:
    with pytest.raises(Refusal, match="another length than it states"):
        binary(BYTES, element(PHOTO)[:-1])


def test_pixels_are_held_to_the_limits() -> None:
    head = json.dumps({"inputs": [{**UINT8, "shape": [100_000, 100_000, 3], "data": []}]}).encode()
    with pytest.raises(Refusal) as caught:
        read_tensors(head, None, Limits())
    assert caught.value.status == 413
