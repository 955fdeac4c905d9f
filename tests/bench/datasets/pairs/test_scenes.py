"""Each layout names the scene of a pair, so that no frame of a scene is on both sides of a split."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from depthrt.bench.datasets.pairs.scenes import kitti_frame, layout_of, plain_scene, scenes_of

DRIVE = "2011_09_26_drive_0002_sync"


@pytest.mark.parametrize(
    ("depth", "layout", "scene"),
    [
        ("ai_037_002/images/scene_cam_00_geometry_hdf5/frame.0000.depth_meters.hdf5", "hypersim", "ai_037_002"),
        ("Scene01/fog/frames/depth/Camera_0/depth_00000.png", "vkitti2", "Scene01"),
        (f"val/{DRIVE}/proj_depth/groundtruth/image_02/0000000005.png", "kitti", DRIVE),
        (f"groundtruth_depth/{DRIVE}_groundtruth_depth_0000000005_image_02.png", "kitti", DRIVE),
    ],
)
def test_known_layouts_name_the_scene_in_their_paths(tmp_path: Path, depth: str, layout: str, scene: str) -> None:
    found = layout_of(PurePosixPath(depth))
    assert found == layout
    assert scenes_of(found, [(Path("a.jpg"), tmp_path / depth)], [tmp_path]) == [scene]
    assert scenes_of(found, [(Path("a.jpg"), Path("/") / Path(depth).name)], [])[0]  # moved, it still has some scene


@pytest.mark.parametrize(
    ("image", "scene"),
    [
        ("hall/a.png", "hall"),
        ("rgb/hall/day/a.png", "hall"),
        ("train/RGB/hall/a.png", "hall"),
        ("a.png", "a"),
        ("images/a.png", "a"),
        ("../hall/a.png", "hall"),
    ],
)
def test_a_plain_folder_s_scene_is_its_first_folder_or_the_image(image: str, scene: str) -> None:
    assert plain_scene(PurePosixPath(image)) == scene


def test_the_images_of_a_list_start_from_the_folder_that_holds_them_all(tmp_path: Path) -> None:
    files = [(tmp_path / "rgb" / name, tmp_path / "d.npy") for name in ("hall/1.png", "hall/2.png")]
    assert scenes_of("files", files, [tmp_path / "lists", tmp_path]) == ["hall", "hall"]
    assert scenes_of("files", files, [tmp_path / "lists"]) == ["1", "2"]


def test_a_frame_of_kitti_is_its_drive_camera_and_number() -> None:
    frame = (DRIVE, "image_02", "0000000005")
    for path in (
        f"raw/2011_09_26/{DRIVE}/image_02/data/0000000005.png",
        f"{DRIVE}/proj_depth/groundtruth/image_02/0000000005.png",
        f"image/{DRIVE}_image_0000000005_image_02.png",
    ):
        assert kitti_frame(Path(path)) == frame
    assert "" in kitti_frame(Path("a.png"))
