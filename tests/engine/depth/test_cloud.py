"""An organised cloud has a point for each pixel, holes included, and its files hold the same points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_depth import HEIGHT_PX, WIDTH_PX, holed, surface
from numpy.typing import NDArray
from refusal import refusal

from depthrt.engine.depth.cloud import PointCloud, points_of
from depthrt.engine.depth.intrinsics import Intrinsics

CAMERA = Intrinsics(fx_px=40.0, fy_px=30.0, cx_px=18.0, cy_px=11.5)


def picture() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (HEIGHT_PX, WIDTH_PX, 3), np.uint8)


def parse_ply(data: bytes) -> tuple[list[str], NDArray[np.void]]:
    head, _, tail = data.partition(b"end_header\n")
    lines = head.decode().splitlines()
    kinds = {"float": "<f4", "uchar": "u1"}
    names = [line.split()[1:] for line in lines if line.startswith("property")]
    return lines, np.frombuffer(tail, [(name, kinds[kind]) for kind, name in names])


def parse_pcd(data: bytes) -> tuple[dict[str, str], NDArray[np.void]]:
    head, _, tail = data.partition(b"DATA binary\n")
    found = dict(line.split(" ", 1) for line in head.decode().splitlines() if not line.startswith("#"))
    names = found["FIELDS"].split()
    records = np.frombuffer(tail, [(name, "<f4") for name in names])
    return found, records.reshape(int(found["HEIGHT"]), int(found["WIDTH"]))


def stacked(records: NDArray[np.void]) -> NDArray[np.float32]:
    return np.stack([records[axis] for axis in "xyz"], axis=-1)


def test_the_cloud_has_the_points_of_the_list_at_their_pixels_and_nan_elsewhere() -> None:
    depth = holed("metric")
    cloud = depth.cloud(CAMERA)
    assert cloud.points.shape == (HEIGHT_PX, WIDTH_PX, 3) and cloud.points.dtype == np.float32
    assert np.array_equal(cloud.points[depth.valid], depth.points(CAMERA))
    assert np.isnan(cloud.points[~depth.valid]).all() and not depth.valid.all()
    assert np.array_equal(cloud.valid, depth.valid)


def test_a_part_of_the_depth_has_the_points_of_the_part() -> None:
    depth_m = surface("metric").values
    whole = points_of(depth_m, CAMERA.for_image(depth_m.shape))
    part = points_of(depth_m[4:20, 7:30], CAMERA.cropped(4, 7, 16, 23))
    assert np.allclose(part, whole[4:20, 7:30], atol=1e-6)


@pytest.mark.parametrize("image", [None, picture()], ids=["plain", "coloured"])
def test_files_hold_the_points_and_the_colours(tmp_path: Path, image: NDArray[np.uint8] | None) -> None:
    depth = holed("metric")
    cloud = depth.cloud(CAMERA, image=image)
    for name in ("a.ply", "a.PCD"):
        cloud.save(tmp_path / name)
    lines, listed = parse_ply((tmp_path / "a.ply").read_bytes())
    assert f"element vertex {np.count_nonzero(depth.valid)}" in lines
    assert np.array_equal(stacked(listed), depth.points(CAMERA))
    facts, organised = parse_pcd((tmp_path / "a.PCD").read_bytes())
    assert np.array_equal(stacked(organised), cloud.points, equal_nan=True)
    assert facts["POINTS"] == str(HEIGHT_PX * WIDTH_PX) and facts["VERSION"] == ".7"
    assert (facts["SIZE"], facts["TYPE"]) == (("4 4 4", "F F F") if image is None else ("4 4 4 4", "F F F F"))
    if image is not None:
        assert np.array_equal(np.stack([listed[name] for name in ("blue", "green", "red")], -1), image[depth.valid])
        codes = np.ascontiguousarray(organised["rgb"]).view("<u4")
        assert np.array_equal(np.stack([codes & 255, codes >> 8 & 255, codes >> 16], -1), image)


def test_what_is_no_cloud_is_refused(tmp_path: Path) -> None:
    cloud = surface("metric").cloud(CAMERA)
    assert "a.xyz: suffix '.xyz' found, a cloud of points expects .ply or .pcd" in refusal(lambda: cloud.save("a.xyz"))
    assert "format 'xyz' found, expected one of ply, pcd" in refusal(lambda: cloud.encode("xyz"))  # type: ignore[arg-type]
    assert "image (4, 6) and depth (24, 37) found" in refusal(
        lambda: surface("metric").cloud(CAMERA, image=np.zeros((4, 6, 3), np.uint8))
    )
    flat = np.zeros((4, 3), np.float32)
    assert "points: (4, 3) float32 found, expected (H, W, 3) float32" in refusal(lambda: PointCloud(flat))
    assert "gives inverse depth" in refusal(lambda: surface("inverse").cloud(CAMERA))
    assert not list(tmp_path.iterdir())
