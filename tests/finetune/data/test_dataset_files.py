"""Files of Hypersim and Virtual KITTI 2: depth in their units, cameras in their axes, and a full disk."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from small_disk import files_of_at_most

from depthrt.bench.datasets.hypersim_cameras import HYPERSIM_FOCAL_PX, STANDARD, find_cameras
from depthrt.bench.datasets.true_depth import VKITTI2_SKY, read_hypersim, read_vkitti2
from depthrt.engine.errors import InputError
from depthrt.finetune.data.dataset_files import (
    HYPERSIM_SIZE_PX,
    hypersim_distance,
    vkitti2_centimetres,
    write_h5,
    write_hypersim_camera,
    write_hypersim_table,
    write_jpeg,
    write_png,
    write_text,
    write_vkitti2_cameras,
)
from depthrt.finetune.scenes.draft import Eye
from depthrt.finetune.scenes.rays.camera import Cameras, cameras_of

FLOAT32 = 3e-7  # relative: depth to distance and back is rounded to float32 twice
JPEG_ERROR = 3.0  # mean of 255, for a smooth image at quality 95
EXACT = 1e-8  # of coordinates that are written with ten digits


def read_h5(path: Path) -> NDArray[np.float64]:
    with h5py.File(path, "r") as file:
        return np.array(file["dataset"])


def two_cameras() -> Cameras:
    return cameras_of([Eye((1.0, 2.0, 1.5)), Eye((4.0, 5.0, 1.6), yaw_rad=0.7, pitch_rad=-0.2, roll_rad=0.1)], "cpu")


@pytest.mark.parametrize("size_px", [HYPERSIM_SIZE_PX, (3, 4), (5, 2)])
def test_distance_is_depth_over_the_cosine_of_the_ray(
    size_px: tuple[int, int],
) -> None:
    height, width = size_px
    found = hypersim_distance(np.full(size_px, 2.0, np.float32))
    focal_px = HYPERSIM_FOCAL_PX * width / HYPERSIM_SIZE_PX[1]
    corner = math.hypot((width - 1) / 2, (height - 1) / 2)
    assert found.dtype == np.float32
    assert found[0, 0] == pytest.approx(2.0 * math.hypot(corner, focal_px) / focal_px, rel=FLOAT32)
    assert np.array_equal(found, found[::-1, ::-1])
    assert found.min() >= 2.0


def test_pixels_without_depth_have_no_distance() -> None:
    depth_m = np.array([[0.0, 1.0], [2.0, 0.0]], np.float32)
    assert np.array_equal(np.isnan(hypersim_distance(depth_m)), depth_m == 0)


@pytest.mark.parametrize(
    ("depth_m", "expected"),
    [(0.0, VKITTI2_SKY), (1.0, 100), (0.004, 1), (0.0001, 1), (1.234, 123), (1.236, 124), (1e6, VKITTI2_SKY - 1)],
)
def test_depth_is_whole_centimetres_and_never_the_sky_s_number(depth_m: float, expected: int) -> None:
    found = vkitti2_centimetres(np.array([[depth_m]], np.float32))
    assert found.dtype == np.uint16
    assert int(found[0, 0]) == expected


@pytest.mark.parametrize("size_px", [HYPERSIM_SIZE_PX, (12, 16), (5, 2)])
def test_the_table_of_cameras_gives_the_planar_depth_back(tmp_path: Path, size_px: tuple[int, int]) -> None:
    write_hypersim_table(tmp_path, ["ai_001_001", "ai_001_002"], size_px)
    cameras = find_cameras([], tmp_path)
    assert list(cameras.of_scene) == ["ai_001_001", "ai_001_002"]
    share = cameras.planar_share(tmp_path, size_px, "ai_001_002")
    planar = hypersim_distance(np.full(size_px, 2.0, np.float32)) * share
    assert np.abs(planar / 2.0 - 1).max() < FLOAT32
    assert np.allclose(share, STANDARD.planar_share(tmp_path, size_px, "ai_001_002"), rtol=EXACT)


def test_every_code_of_virtual_kitti_comes_back_bit_by_bit(tmp_path: Path) -> None:
    codes = np.arange(1, 65536, dtype=np.uint16).reshape(255, 257)
    write_png(tmp_path / "a.png", codes)
    truth = read_vkitti2(tmp_path / "a.png")
    again = vkitti2_centimetres(np.where(truth.valid, truth.values, 0))
    assert np.array_equal(again, codes)
    write_png(tmp_path / "b.png", again)
    assert (tmp_path / "b.png").read_bytes() == (tmp_path / "a.png").read_bytes()


def test_distance_comes_back_from_planar_depth_to_float_precision(tmp_path: Path) -> None:
    distance = np.random.default_rng(5).uniform(0.5, 20, (48, 64)).astype(np.float32)
    distance[3, 4] = np.nan
    write_h5(tmp_path / "a.hdf5", distance)
    truth = read_hypersim(tmp_path / "a.hdf5")
    again = hypersim_distance(np.where(truth.valid, truth.values, 0))
    assert np.array_equal(np.isnan(again), np.isnan(distance))
    assert np.nanmax(np.abs(again / distance - 1)) < FLOAT32


def test_a_camera_of_hypersim_looks_along_its_negative_z_with_y_up(tmp_path: Path) -> None:
    cameras = two_cameras()
    write_hypersim_camera(tmp_path, cameras, 1)
    detail = tmp_path / "_detail" / "cam_00"
    orientation = read_h5(detail / "camera_keyframe_orientations.hdf5")[0]
    right, down, forward = cameras.rotation[1].T.numpy()
    assert np.allclose(read_h5(detail / "camera_keyframe_positions.hdf5"), [[4.0, 5.0, 1.6]])
    assert np.allclose(orientation.T, [right, -down, -forward], atol=EXACT)
    assert read_h5(detail / "camera_keyframe_frame_indices.hdf5").tolist() == [0]
    assert (tmp_path / "_detail" / "metadata_cameras.csv").read_text() == "camera_name\ncam_00\n"
    assert "meters_per_asset_unit,1.0" in (tmp_path / "_detail" / "metadata_scene.csv").read_text()


def test_a_camera_of_virtual_kitti_takes_the_point_ahead_of_it_to_its_axis(tmp_path: Path) -> None:
    cameras = two_cameras()
    write_vkitti2_cameras(tmp_path, cameras, (375, 1242), 725.0)
    intrinsic, extrinsic = ((tmp_path / f"{name}.txt").read_text().splitlines() for name in ("intrinsic", "extrinsic"))
    assert intrinsic[1:] == ["0 0 725 725 620.5 187", "1 0 725 725 620.5 187"]
    for line, position, rotation in zip(extrinsic[1:], cameras.position, cameras.rotation, strict=True):
        matrix = np.array([float(number) for number in line.split()[2:]]).reshape(4, 4)
        x, y, z = (position + 3 * rotation[:, 2]).tolist()
        assert np.allclose(matrix @ [x, -z, y, 1], [0, 0, 3, 1], atol=EXACT)  # KITTI: y down, z forward


def test_images_and_depth_read_back(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:32, :48]
    image = np.stack([rows * 8, columns * 5, np.full_like(rows, 90)], -1).astype(np.uint8)
    depth = (rows * 1000 + columns).astype(np.uint16)
    write_jpeg(tmp_path / "image.jpg", image)
    write_png(tmp_path / "depth.png", depth)
    write_h5(tmp_path / "depth.hdf5", depth)
    write_text(tmp_path / "list.txt", "é\n")
    found = cv2.imread(str(tmp_path / "image.jpg"))
    assert found is not None
    assert np.abs(found[..., ::-1].astype(float) - image).mean() < JPEG_ERROR
    stored = cv2.imread(str(tmp_path / "depth.png"), cv2.IMREAD_UNCHANGED)
    assert stored is not None
    assert np.array_equal(stored, depth)
    assert np.array_equal(read_h5(tmp_path / "depth.hdf5"), depth)
    assert (tmp_path / "list.txt").read_bytes() == "é\n".encode()


def test_a_full_disk_is_one_line_and_leaves_no_file(tmp_path: Path) -> None:
    message = r"a\.hdf5 cannot be written.*; check the disk and its rights"
    with files_of_at_most(50_000), pytest.raises(InputError, match=message) as caught:
        write_h5(tmp_path / "a.hdf5", np.zeros(100_000))
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
