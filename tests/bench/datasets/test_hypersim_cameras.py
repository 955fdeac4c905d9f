"""Hypersim's cameras: the published table gives each scene's rays."""

from __future__ import annotations

import csv
from pathlib import Path

import h5py
import numpy as np
import pytest
from depth_datasets import put
from numpy.typing import NDArray

from depthrt.bench.datasets.ground_truth import open_ground_truth
from depthrt.bench.datasets.hypersim_cameras import (
    SPECIAL_SCENES,
    STANDARD,
    TABLE,
    Cameras,
    find_cameras,
    read_table,
)
from depthrt.engine.errors import InputError

SIZE_PX = (48, 64)
WALL_M = 3.0
EXACT = 1e-4
UPRIGHT = np.array([[0.5773502886, 0, 0], [0, 0.4330127164, 0], [0, 0, -1.0]])
SHIFTED = np.array([[0.5773502886, 0, 0.03], [0, 0.4330127164, 0.05], [0, 0, -1.0]])
TILTED = np.array([[0.5773502886, 0, 0.03], [0, 0.4330127164, 0.05], [0.04, 0.02, -1.0]])


def distances(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance along each ray to a wall at WALL_M, pixel by pixel as the table's authors cast rays."""
    height, width = SIZE_PX
    found = np.empty(SIZE_PX)
    for row in range(height):
        for column in range(width):
            ray = matrix @ [-1 + (2 * column + 1) / width, 1 - (2 * row + 1) / height, 1]
            found[row, column] = WALL_M * np.linalg.norm(ray) / abs(ray[2])
    return found


def write_scene(folder: Path, scene: str, matrix: NDArray[np.float64]) -> Path:
    images = folder / scene / "images"
    depth = images / "scene_cam_00_geometry_hdf5" / "frame.0000.depth_meters.hdf5"
    depth.parent.mkdir(parents=True)
    with h5py.File(depth, "w") as file:
        file["dataset"] = distances(matrix)
    put(images / "scene_cam_00_final_preview" / "frame.0000.tonemap.jpg", np.zeros((*SIZE_PX, 3), np.uint8))
    return depth


def write_table(path: Path, **cameras: NDArray[np.float64]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = [f"M_cam_from_uv_{row}{column}" for row in range(3) for column in range(3)]
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["scene_name", "settings_camera_fov", *columns])
        rows.writerows([scene, 1.0, *matrix.ravel()] for scene, matrix in cameras.items())


@pytest.mark.parametrize("matrix", [UPRIGHT, SHIFTED, TILTED], ids=["upright", "shifted", "tilted"])
@pytest.mark.parametrize("place", ["", "ai_037_002", "contrib/mikeroberts3000"])
def test_a_wall_is_flat_through_every_lens_of_the_table(
    tmp_path: Path, matrix: NDArray[np.float64], place: str
) -> None:
    write_scene(tmp_path, "ai_037_002", matrix)
    write_table(tmp_path / place / TABLE, ai_037_002=matrix)
    found = open_ground_truth(tmp_path)
    (sample,) = found
    assert np.abs(sample.truth.values / WALL_M - 1).max() < EXACT
    assert found.notes == ()


def test_the_table_is_found_above_a_single_scene_and_for_a_list(tmp_path: Path) -> None:
    depth = write_scene(tmp_path / "scenes", "ai_037_002", TILTED)
    write_table(tmp_path / TABLE, ai_037_002=TILTED)
    image = "scenes/ai_037_002/images/scene_cam_00_final_preview/frame.0000.tonemap.jpg"
    (tmp_path / "list.txt").write_text(f"{image} {depth.relative_to(tmp_path)}\n")
    for source in (tmp_path / "scenes" / "ai_037_002", tmp_path / "list.txt"):
        (sample,) = open_ground_truth(source)
        assert np.abs(sample.truth.values / WALL_M - 1).max() < EXACT


def test_without_the_table_the_special_scenes_are_named(tmp_path: Path) -> None:
    for scene in ("ai_001_001", "ai_037_002", "ai_041_009"):
        write_scene(tmp_path, scene, UPRIGHT)
    (note,) = open_ground_truth(tmp_path).notes
    assert "ai_037_002, ai_041_009" in note and "ai_001_001" not in note and TABLE in note and "https://" in note
    (plain,) = STANDARD.notes([Path("ai_001_001/images/x/frame.0000.depth_meters.hdf5")])
    assert plain == f"no {TABLE} found, read with the standard camera (886.81 px, centred)"
    assert note.startswith(plain)
    many = [Path(f"{scene}/images/x/f.hdf5") for scene in SPECIAL_SCENES]
    assert "and 1 more" in STANDARD.notes(many)[0]


def test_a_scene_without_a_row_is_named_and_has_the_standard_camera(tmp_path: Path) -> None:
    write_scene(tmp_path, "ai_001_001", UPRIGHT)
    write_table(tmp_path / TABLE, ai_037_002=TILTED)
    found = open_ground_truth(tmp_path)
    (sample,) = found
    assert np.abs(sample.truth.values / WALL_M - 1).max() < 1e-3  # the standard camera is rounded
    assert found.notes == (f"{TABLE} has no row for ai_001_001, read with the standard camera (886.81 px, centred)",)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_a_scene_whose_row_holds_no_camera_is_left_out(tmp_path: Path, bad: float) -> None:
    for scene in ("ai_001_001", "ai_041_009"):
        write_scene(tmp_path, scene, UPRIGHT)
    write_table(tmp_path / TABLE, ai_001_001=UPRIGHT, ai_041_009=np.full((3, 3), bad))
    good, hurt = open_ground_truth(tmp_path).pairs
    assert good.read().truth.valid.all()
    with pytest.raises(InputError, match="has no usable camera of ai_041_009; leave the scene out"):
        hurt.read()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no column scene_name"),
        (b"scene_name,other\na,1\n", "has no column M_cam_from_uv_00"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_a_damaged_table_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / TABLE).write_bytes(content)
    with pytest.raises(InputError, match=f"{message}.*; download it again from https") as caught:
        read_table(tmp_path / TABLE)
    assert "\n" not in str(caught.value)


def test_a_row_with_text_for_a_number_has_no_camera(tmp_path: Path) -> None:
    write_table(tmp_path / TABLE, ai_001_001=UPRIGHT)
    text = (tmp_path / TABLE).read_text()
    (tmp_path / TABLE).write_text(text.replace("-1.0", "near") + "ai_001_002,1.0,0.5\n")
    assert read_table(tmp_path / TABLE) == {"ai_001_001": None, "ai_001_002": None}


def test_the_corner_of_the_standard_camera_is_at_0_811_of_its_distance() -> None:
    share = STANDARD.planar_share(Path("ai_001_001/images/x/f.hdf5"), (768, 1024))
    assert round(float(share[0, 0]), 3) == 0.811  # 886.81 px, and (511.5, 383.5) px from the centre
    assert np.array_equal(share, share[::-1, ::-1])


def test_the_principal_point_of_the_table_moves_the_nearest_ray(tmp_path: Path) -> None:
    write_table(tmp_path / TABLE, ai_037_002=SHIFTED)
    cameras = find_cameras([tmp_path / "ai_037_002/images/a/f.hdf5"])
    share = cameras.planar_share(tmp_path / "ai_037_002/images/a/f.hdf5", (768, 1024))
    row, column = np.unravel_index(int(share.argmax()), share.shape)
    # The ray along the axis is where M @ [u, v, 1] has no x and no y; u and v span the picture from -1 to 1.
    assert abs(column - (511.5 - 512 * 0.03 / 0.5773502886)) <= 0.5
    assert abs(row - (383.5 + 384 * 0.05 / 0.4330127164)) <= 0.5
    standard = STANDARD.planar_share(Path("ai_037_002/images/a/f.hdf5"), (768, 1024))
    assert np.abs(share / standard - 1).max() > 0.02  # what the centred camera would get wrong


@pytest.mark.parametrize("matrix", [UPRIGHT, SHIFTED], ids=["upright", "shifted"])
def test_a_projection_matrix_tells_the_same_rays(tmp_path: Path, matrix: NDArray[np.float64]) -> None:
    near_m, far_m = 0.1, 1000.0
    projection = np.zeros((4, 4))  # of OpenGL
    projection[[0, 1], [0, 1]] = 1 / matrix[0, 0], 1 / matrix[1, 1]
    projection[:2, 2] = matrix[0, 2] / matrix[0, 0], matrix[1, 2] / matrix[1, 1]
    projection[2, 2:] = (far_m + near_m) / (near_m - far_m), 2 * far_m * near_m / (near_m - far_m)
    projection[3, 2] = -1
    columns = [f"M_proj_{row}{column}" for row in range(4) for column in range(4)]
    cells = ",".join(map(repr, map(float, projection.ravel())))
    (tmp_path / TABLE).write_text(f"scene_name,{','.join(columns)}\na,{cells}\nb{',0' * 16}\n")
    write_table(tmp_path / "rays.csv", a=matrix)
    found, expected = (
        Cameras(path, read_table(path)).planar_share(tmp_path, SIZE_PX, "a")
        for path in (tmp_path / TABLE, tmp_path / "rays.csv")
    )
    assert np.allclose(found, expected, rtol=1e-9)
    assert read_table(tmp_path / TABLE)["b"] is None


def test_the_scene_s_name_goes_before_the_folder_of_the_file(tmp_path: Path) -> None:
    write_table(tmp_path / TABLE, ai_037_002=SHIFTED)
    moved = tmp_path / "depth" / "a.hdf5"
    cameras = find_cameras([moved], tmp_path)
    named = cameras.planar_share(moved, SIZE_PX, "ai_037_002")
    assert np.array_equal(named, cameras.planar_share(Path("ai_037_002/images/a/f.hdf5"), SIZE_PX))
    assert not np.array_equal(named, cameras.planar_share(moved, SIZE_PX))
    assert cameras.notes([moved], ["ai_037_002"]) == ()


def test_a_name_that_the_table_lacks_leaves_the_folder_of_the_file_to_count(tmp_path: Path) -> None:
    write_table(tmp_path / TABLE, ai_037_002=SHIFTED)
    depth = tmp_path / "ai_037_002/images/a/f.hdf5"
    cameras = find_cameras([depth], tmp_path)
    assert np.array_equal(
        cameras.planar_share(depth, SIZE_PX, "rooms ai_037_002"), cameras.planar_share(depth, SIZE_PX)
    )
    assert cameras.notes([depth], ["rooms ai_037_002"]) == ()
    assert "for rooms ai_001_001," in cameras.notes([tmp_path / "ai_001_001/images/a/f.hdf5"], ["rooms ai_001_001"])[0]


def test_no_table_is_no_error(tmp_path: Path) -> None:
    assert find_cameras([tmp_path / "ai_001_001/images/a/f.hdf5"]) is STANDARD
