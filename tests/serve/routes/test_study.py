"""The study's form works field for field."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from made_image import crop_of_photo
from numpy.typing import NDArray
from served import PHOTO, PHOTO_PX
from starlette.testclient import TestClient

GAP_PX = 50
HEIGHT_PX, WIDTH_PX = PHOTO_PX
FILE = {"file": ("../../<b>photo</b>.png", PHOTO, "image/png")}


def picture(content: bytes) -> NDArray[Any]:
    found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return np.asarray(found)


def test_the_answer_is_image_gap_and_depth_as_an_attachment(client: TestClient) -> None:
    answer = client.post("/infer", files=FILE)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="output.png"'
    found = picture(answer.content)
    assert found.shape == (HEIGHT_PX, 2 * WIDTH_PX + GAP_PX, 3)
    assert np.array_equal(found[:, :WIDTH_PX], crop_of_photo())
    assert (found[:, WIDTH_PX : WIDTH_PX + GAP_PX] == 255).all()
    depth = found[:, WIDTH_PX + GAP_PX :]
    assert (depth[..., 0] == depth[..., 1]).all() and depth.min() == 0 and depth.max() == 255, "grayscale by default"


def test_a_colormap_is_coloured(client: TestClient) -> None:
    answer = client.post("/infer", files=FILE, data={"otype": "colormap"})
    depth = picture(answer.content)[:, WIDTH_PX + GAP_PX :]
    assert (depth[..., 0] != depth[..., 2]).any()


@pytest.mark.parametrize("augment", ["mirror", "indoor art", "outdoor art"])
@pytest.mark.parametrize("pretrained", ["true", "false"])
def test_a_single_model_plays_all_roles(client: TestClient, augment: str, pretrained: str) -> None:
    answer = client.post("/infer", files=FILE, data={"augment": augment, "pretrained": pretrained})
    assert answer.status_code == 200 and answer.headers["Depthrt-Model"] == "default"


def test_each_role_has_its_own_model_and_no_other(metric_client: TestClient) -> None:
    for pretrained, name in (("false", "mirror"), ("true", "pretrained-mirror")):
        answer = metric_client.post("/infer", files=FILE, data={"pretrained": pretrained})
        assert answer.headers["Depthrt-Model"] == name
    answer = metric_client.post("/infer", files=FILE, data={"augment": "indoor art"})
    assert answer.status_code == 422 and answer.json()["code"] == "no_model_of_role"


@pytest.mark.parametrize(
    ("field", "value"),
    [("augment", "Mirror"), ("augment", "indoor"), ("otype", "color"), ("pretrained", "yes"), ("pretrained", "")],
)
def test_an_unknown_value_is_never_another_model(client: TestClient, field: str, value: str) -> None:
    answer = client.post("/infer", files=FILE, data={field: value})
    assert answer.status_code == 422 and f"field {field}" in answer.json()["error"]


def test_a_form_without_a_file_is_refused_in_json(client: TestClient) -> None:
    answer = client.post("/infer", files={"other": ("a", b"x")})
    assert answer.status_code == 422 and answer.json().keys() == {"error", "code", "request_id"}
    assert client.post("/infer", content=PHOTO).status_code == 415
