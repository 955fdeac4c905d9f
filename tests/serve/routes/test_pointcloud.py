"""Points in space come from metric models with a camera only."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from served import IMAGE, PHOTO, PHOTO_PX, read_npy
from starlette.testclient import TestClient

from depthrt.engine.depth.intrinsics import Intrinsics

POINT_BYTES = 15


def points(content: bytes) -> NDArray[Any]:
    tail = content.partition(b"end_header\n")[2]
    rows = np.frombuffer(tail, np.uint8).reshape(-1, POINT_BYTES)
    return np.ascontiguousarray(rows[:, :12]).view("<f4")


def test_the_points_are_those_of_the_depth(metric_client: TestClient) -> None:
    cloud = metric_client.post("/v1/pointcloud?fov=60", content=PHOTO, headers=IMAGE)
    depth = read_npy(metric_client.post("/v1/depth", content=PHOTO, headers=IMAGE).content)
    found = points(cloud.content)
    assert cloud.headers["Content-Type"] == "application/x-ply" and cloud.headers["Depthrt-Unit"] == "m"
    assert np.array_equal(found[:, 2], depth[np.isfinite(depth)])
    camera = Intrinsics.from_fov(60, *PHOTO_PX)
    asked = f"fx={camera.fx_px}&fy={camera.fy_px}&cx={camera.cx_px}&cy={camera.cy_px}"
    same = metric_client.post(f"/v1/pointcloud?{asked}", content=PHOTO, headers=IMAGE)
    assert np.allclose(points(same.content), found)


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("?model=mirror&fov=60", "not_metric"),
        ("", "no_camera"),
        ("?fov=60&fx=500", "wrong_option"),
        ("?fov=60&format=png", "unknown_option"),
    ],
)
def test_what_has_no_points_is_refused(metric_client: TestClient, address: str, code: str) -> None:
    answer = metric_client.post(f"/v1/pointcloud{address}", content=PHOTO, headers=IMAGE)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
