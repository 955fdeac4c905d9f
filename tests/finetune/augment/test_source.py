"""Frames of a data set: names, paths, depth as it is stored, and masks of validity, which an augmented folder lacks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_room import draw_room, write_hypersim_rooms, write_vkitti2_rooms

from depthrt import InputError
from depthrt.finetune.augment.source import load, open_frames

SIZE_PX = (48, 64)


def test_frames_keep_the_paths_of_their_files(tmp_path: Path) -> None:
    (frame,), notes = open_frames(write_hypersim_rooms(tmp_path / "h", 1))
    assert frame.image.as_posix() == "ai_001_001/images/scene_cam_00_final_preview/frame.0000.tonemap.jpg"
    assert frame.depth.as_posix() == "ai_001_001/images/scene_cam_00_geometry_hdf5/frame.0000.depth_meters.hdf5"
    assert frame.layout == "hypersim" and notes
    loaded = load(frame)
    assert np.isnan(loaded.canvas.inverse[:8, :12]).all() and not loaded.canvas.regions.any()


def test_the_sky_of_virtual_kitti_is_infinitely_far(tmp_path: Path) -> None:
    frames, _ = open_frames(write_vkitti2_rooms(tmp_path / "v", 2))
    canvas = load(frames[1]).canvas
    assert (canvas.inverse[:10] == 0).all() and (canvas.regions[:10] == 8).all()
    assert not canvas.regions[10:].any()


def test_a_list_with_files_elsewhere_names_them_by_what_they_share(tmp_path: Path) -> None:
    rooms = write_hypersim_rooms(tmp_path / "far away", 2)
    pictures, depths = (
        sorted(path.relative_to(tmp_path) for path in rooms.rglob(f"*.{kind}")) for kind in ("jpg", "hdf5")
    )
    (tmp_path / "lists").mkdir()
    linked = tmp_path / "far"
    linked.symlink_to(rooms)
    lines = [
        f"../far/{picture.relative_to('far away')} ../far/{depth.relative_to('far away')}\n"
        for picture, depth in zip(pictures, depths, strict=True)
    ]
    (tmp_path / "lists" / "train.txt").write_text("".join(lines))
    frames, _ = open_frames(tmp_path / "lists" / "train.txt")
    assert len({frame.image for frame in frames}) == 2
    assert all(".." not in frame.image.parts and not frame.image.is_absolute() for frame in frames)


def test_pixels_that_a_mask_leaves_out_become_unknown(tmp_path: Path) -> None:
    room = draw_room(*SIZE_PX)
    cv2.imwrite(str(tmp_path / "a.png"), room.image)
    np.save(tmp_path / "a.npy", room.depth_m)
    counts = np.ones(SIZE_PX, np.uint8)
    counts[5:9] = 0
    np.save(tmp_path / "a_mask.npy", counts)
    (frame,), _ = open_frames(tmp_path)
    loaded = load(frame)
    assert loaded.canvas.erased[5:9].all() and not loaded.canvas.erased[10:].any()


def test_images_of_one_name_are_refused(tmp_path: Path) -> None:
    room = draw_room(*SIZE_PX)
    for folder in ("rgb", "depth"):
        (tmp_path / folder).mkdir()
    (tmp_path / "manifest.jsonl").write_text(
        "".join(f'{{"image": "rgb/a.{kind}", "depth": "depth/a.npy"}}\n' for kind in ("png", "jpg"))
    )
    np.save(tmp_path / "depth" / "a.npy", room.depth_m)
    for kind in ("png", "jpg"):
        cv2.imwrite(str(tmp_path / "rgb" / f"a.{kind}"), room.image)
    with pytest.raises(InputError, match="have one name, rgb/a; rename one"):
        open_frames(tmp_path)


def test_a_data_set_of_one_file_gets_files_for_each_frame() -> None:
    pytest.importorskip("skimage")
    (frame,), _ = open_frames("stereo_motorcycle")
    assert (frame.image.name, frame.depth.name, frame.layout) == (
        "stereo_motorcycle.png",
        "stereo_motorcycle.npy",
        None,
    )
    loaded = load(frame)
    assert loaded.stored.raw.dtype == np.float32 and np.isnan(loaded.stored.raw).any()
