"""Clients of the Open Inference Protocol are served."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from made_image import crop_of_photo
from numpy.typing import NDArray
from served import IMAGE, PHOTO, PHOTO_PX, read_npy
from starlette.testclient import TestClient

HEADER = "Inference-Header-Content-Length"
MODEL = "/v2/models/default"


def test_the_server_and_its_model_introduce_themselves(client: TestClient) -> None:
    assert client.get("/v2").json()["extensions"] == ["binary_tensor_data"]
    for address in ("/v2/health/live", "/v2/health/ready", f"{MODEL}/ready", f"{MODEL}/versions/1/ready"):
        assert client.get(address).status_code == 200
    found = client.get(MODEL).json()
    assert found["name"] == "default" and found["outputs"][0]["datatype"] == "FP32"
    assert client.get(f"{MODEL}/versions/1").json() == found


@pytest.mark.parametrize("address", ["/v2/models/other", f"{MODEL}/versions/2", "/v2/models/other/ready"])
def test_a_missing_model_is_not_found(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404 and isinstance(answer.json()["error"], str)


def post(client: TestClient, tensor: dict[str, Any], tail: bytes | None, *, binary: bool) -> NDArray[Any]:
    """Ask for depth; return it as the protocol's client does."""
    parameters = {} if tail is None else {"parameters": {"binary_data_size": len(tail)}}
    body = {
        "id": "7",
        "inputs": [{"name": "image", **tensor, **parameters}],
        "outputs": [{"name": "depth", "parameters": {"binary_data": binary}}],
    }
    head = json.dumps(body).encode()
    headers = {} if tail is None else {HEADER: str(len(head))}
    answer = client.post(f"{MODEL}/infer", content=head + (tail or b""), headers=headers)
    assert answer.status_code == 200, answer.text
    length = int(answer.headers.get(HEADER, len(answer.content)))
    found = json.loads(answer.content[:length])
    (output,) = found["outputs"]
    assert (found["id"], output["shape"], binary) == ("7", list(PHOTO_PX), "data" not in output)
    flat = np.frombuffer(answer.content[length:], "<f4") if binary else np.array(output["data"], np.float32)
    return flat.reshape(output["shape"])


@pytest.mark.parametrize("binary", [False, True])
def test_every_form_of_the_image_gives_the_same_depth(client: TestClient, binary: bool) -> None:
    expected = read_npy(client.post("/v1/depth", content=PHOTO, headers=IMAGE).content)
    rgb = np.ascontiguousarray(crop_of_photo()[..., ::-1])
    file, pixels = {"shape": [1], "datatype": "BYTES"}, {"shape": [*PHOTO_PX, 3], "datatype": "UINT8"}
    element = len(PHOTO).to_bytes(4, "little") + PHOTO
    for tensor, tail in (
        ({**file, "data": [base64.b64encode(PHOTO).decode()]}, None),
        (file, element),
        ({**pixels, "data": rgb.tolist()}, None),
        (pixels, rgb.tobytes()),
    ):
        assert np.array_equal(post(client, tensor, tail, binary=binary), expected)


def test_a_wrong_request_is_refused_in_the_protocols_way(client: TestClient) -> None:
    answer = client.post(f"{MODEL}/infer", json={"inputs": []})
    assert answer.status_code == 422 and "one input is expected" in answer.json()["error"]
    camera = {
        "parameters": {"fov": 60},
        "inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": ["AA=="]}],
    }
    assert client.post(f"{MODEL}/infer", json=camera).json()["code"] == "no_focal"
