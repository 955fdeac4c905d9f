"""A cloud holds the points of metric depth in the image's colours."""

from __future__ import annotations

import numpy as np
import pytest
from made_depth import HEIGHT_PX, WIDTH_PX, holed, surface

from depthrt.engine.depth.intrinsics import Intrinsics
from depthrt.serve.decode.options import Options
from depthrt.serve.encode.ply import encode_ply, no_metres, read_camera
from depthrt.serve.refusal import Refusal

CAMERA = Intrinsics.from_fov(60, HEIGHT_PX, WIDTH_PX)
POINT_BYTES = 15


def test_the_file_holds_each_valid_pixel_once() -> None:
    depth = holed("metric")
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT_PX, WIDTH_PX, 3), np.uint8)
    head, _, tail = encode_ply(depth, image, CAMERA).partition(b"end_header\n")
    count = int(depth.valid.sum())
    assert f"element vertex {count}\n".encode() in head and len(tail) == POINT_BYTES * count
    points = np.frombuffer(tail, np.uint8).reshape(count, POINT_BYTES)
    places = np.ascontiguousarray(points[:, :12]).view("<f4")
    assert np.array_equal(places, depth.points(CAMERA))
    assert np.array_equal(points[:, 12:], image[depth.valid][:, ::-1]), "red, green, blue"


@pytest.mark.parametrize("kind", ["inverse", "affine", "scale"])
def test_depth_without_metres_is_refused(kind: str) -> None:
    depth = surface(kind)  # type: ignore[arg-type]
    with pytest.raises(Refusal) as caught:
        encode_ply(depth, np.zeros((HEIGHT_PX, WIDTH_PX, 3), np.uint8), CAMERA)
    assert caught.value.status == 422 and "use a metric model" in caught.value.message
    assert no_metres("inverse").code == "not_metric"


def test_the_camera_shrinks_with_the_image() -> None:
    whole = Options(focal_px=500, fy_px=510, cx_px=319.5, cy_px=239.5)
    assert read_camera(whole, (480, 640), (480, 640)) == Intrinsics(500, 510, 319.5, 239.5, (480, 640))
    assert read_camera(whole, (480, 640), (240, 320)) == Intrinsics(250, 255, 159.5, 119.5, (240, 320))
    assert read_camera(Options(focal_px=500), (480, 640), (240, 320)) == Intrinsics(250, 250, 159.5, 119.5, (240, 320))
    assert read_camera(Options(fov_deg=60), (480, 640), (240, 320)) == Intrinsics.from_fov(60, 240, 320)


def test_a_cloud_without_a_camera_is_refused() -> None:
    with pytest.raises(Refusal, match="needs a camera"):
        read_camera(Options(), (1, 1), (1, 1))
