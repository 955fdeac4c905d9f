"""Depth comes in the form that the client asks for, from any of the bodies that are taken."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import cv2
import numpy as np
import pytest
from made_image import crop_of_photo
from served import IMAGE, PHOTO, PHOTO_PX, read_npy
from starlette.testclient import TestClient

import depthrt
from depthrt.engine.images.write import encode_image
from depthrt.serve.encode.accept import MEDIA_TYPES

ENCODED = base64.b64encode(PHOTO).decode()
ALIKE = 1e-6  # float32 after the same steps, in threads of other numbers


def test_values_are_those_of_the_library(client: TestClient) -> None:
    answer = client.post("/v1/depth", content=PHOTO, headers=IMAGE)
    with depthrt.load("default", threads=1) as model:
        expected = model.infer(crop_of_photo())
    assert answer.headers["Content-Type"] == "application/x-npy"
    assert np.allclose(read_npy(answer.content), expected.values, rtol=ALIKE, atol=ALIKE)
    headers = answer.headers
    assert (headers["Depthrt-Kind"], headers["Depthrt-Unit"], headers["Depthrt-Size"]) == ("inverse", "none", "60x90")
    assert headers["Depthrt-Runner"].startswith("onnxruntime") and headers["Depthrt-Precision"] == "fp32"
    assert "run;dur=" in headers["Server-Timing"]


@pytest.mark.parametrize("answer", MEDIA_TYPES)
def test_accept_and_format_give_the_same_file(client: TestClient, answer: str) -> None:
    kind = MEDIA_TYPES[answer]  # type: ignore[index]
    accepted = client.post("/v1/depth", content=PHOTO, headers={**IMAGE, "Accept": kind})
    asked = client.post(f"/v1/depth?format={answer}", content=PHOTO, headers={**IMAGE, "Accept": "text/html"})
    assert accepted.status_code == asked.status_code == 200
    assert accepted.headers["Content-Type"] == asked.headers["Content-Type"] == kind
    if answer not in ("npz", "png16"):  # these record how long it took
        assert accepted.content == asked.content


def test_npz_is_the_whole_record_without_paths(client: TestClient, tmp_path: Any) -> None:  # noqa: ANN401
    path = tmp_path / "d.npz"
    path.write_bytes(client.post("/v1/depth?format=npz", content=PHOTO, headers=IMAGE).content)
    depth = depthrt.Depth.load(path)
    assert depth.shape == PHOTO_PX and "/" not in "".join(depth.provenance.notes).replace("depthrt tune", "")


def test_a_form_and_a_body_of_curl_do_as_well(client: TestClient) -> None:
    plain = client.post("/v1/depth", content=PHOTO, headers=IMAGE).content
    for name in ("file", "image"):
        form = client.post("/v1/depth", files={name: ("a.png", PHOTO)}, data={"model": "default"})
        assert form.content == plain
    for kind in ("application/octet-stream", "application/x-www-form-urlencoded"):
        assert client.post("/v1/depth", content=PHOTO, headers={"Content-Type": kind}).content == plain


def test_local_ai_is_answered_as_local_ai_answers(client: TestClient) -> None:
    body = {"model": "default", "image": ENCODED, "include_depth": True}
    found = client.post("/v1/depth", json=body).json()
    assert (found["height"], found["width"], found["is_metric"]) == (*PHOTO_PX, False)
    values = read_npy(client.post("/v1/depth", json=body, headers={"Accept": "application/x-npy"}).content)
    assert np.array_equal(np.array(found["depth"], np.float32), values.ravel())


def test_options_are_obeyed(client: TestClient) -> None:
    small = client.post("/v1/depth?max_side=45", content=PHOTO, headers=IMAGE)
    assert read_npy(small.content).shape == (30, 45) and small.headers["Depthrt-Size"] == "30x45"
    picture = client.post("/v1/depth?format=png&colormap=gray&low=0&high=1e5", content=PHOTO, headers=IMAGE)
    found = cv2.imdecode(np.frombuffer(picture.content, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None and found.max() < 10, "of a range that reaches far beyond the values"


def test_models_are_chosen_by_name(metric_client: TestClient) -> None:
    for name, kind in (("metres", "metric"), ("mirror", "inverse")):
        answer = metric_client.post(f"/v1/depth?model={name}", content=PHOTO, headers=IMAGE)
        assert (answer.headers["Depthrt-Model"], answer.headers["Depthrt-Kind"]) == (name, kind)
    assert metric_client.post("/v1/depth", content=PHOTO, headers=IMAGE).headers["Depthrt-Unit"] == "m"


@pytest.mark.parametrize(
    ("address", "content", "headers", "status", "code"),
    [
        ("?model=other", PHOTO, IMAGE, 422, "unknown_model"),
        ("?sise=3", PHOTO, IMAGE, 422, "unknown_option"),
        ("?focal_px=500", PHOTO, IMAGE, 422, "no_focal"),
        ("", PHOTO, {**IMAGE, "Accept": "text/html"}, 406, "not_acceptable"),
        ("", PHOTO, {"Content-Type": "text/plain"}, 415, "unknown_type"),
        ("", PHOTO, {**IMAGE, "Content-Encoding": "gzip"}, 415, "compressed"),
        ("", b"<svg onload=alert(1)>", {"Content-Type": "image/svg+xml"}, 415, "not_an_image"),
        ("", b"", IMAGE, 422, "no_image"),
        ("", PHOTO[:-500], IMAGE, 422, "damaged_image"),
        ("", b"\0" * (5 << 20), IMAGE, 413, "large_body"),
        ("", encode_image(np.zeros((10, 1000, 3), np.uint8), ".png"), IMAGE, 422, "long_image"),
        ("", json.dumps({"image": "http://localhost/"}).encode(), {"Content-Type": "application/json"}, 422, "address"),
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_answered_says_why(
    client: TestClient, address: str, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = client.post(f"/v1/depth{address}", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


def test_a_bomb_is_refused_by_its_header(client: TestClient) -> None:
    bomb = io.BytesIO()
    from PIL import Image

    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    assert len(bomb.getvalue()) < 1 << 20
    answer = client.post("/v1/depth", content=bomb.getvalue(), headers=IMAGE)
    assert (answer.status_code, answer.json()["code"]) == (413, "large_image")
