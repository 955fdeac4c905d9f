"""Names that say that an image and a depth file are of different frames are noticed; other names are not doubted."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from depthrt.bench.datasets.pairs.find import PairFiles
from depthrt.bench.datasets.pairs.names import find_other_frames, frame_of
from depthrt.bench.datasets.pairs.scenes import layout_of

HYPERSIM = "{}/images/scene_{}_{}/frame.{}"
IMAGE, DEPTH = "final_preview", "geometry_hdf5"
DRIVE = "2011_09_26_drive_0002_sync"


def pair(image: str, depth: str, scene: str = "room") -> PairFiles:
    return PairFiles(Path(image), Path(depth), scene, layout_of(Path(depth)))


def hypersim(image: tuple[str, str, str], depth: tuple[str, str, str]) -> PairFiles:
    (scene, camera, frame), (scene_2, camera_2, frame_2) = image, depth
    return pair(
        HYPERSIM.format(scene, camera, IMAGE, frame) + ".tonemap.jpg",
        HYPERSIM.format(scene_2, camera_2, DEPTH, frame_2) + ".depth_meters.hdf5",
    )


FIRST = ("ai_001_001", "cam_00", "0000")


@pytest.mark.parametrize(
    "other",
    [("ai_001_002", "cam_00", "0000"), ("ai_001_001", "cam_01", "0000"), ("ai_001_001", "cam_00", "0001")],
)
def test_a_depth_of_another_scene_camera_or_frame_is_noticed(other: tuple[str, str, str]) -> None:
    good, wrong = hypersim(FIRST, FIRST), hypersim(FIRST, other)
    found = find_other_frames([good, wrong])
    assert list(found) == [wrong]
    assert " ".join(FIRST) in found[wrong] and " ".join(other) in found[wrong] and "\n" not in found[wrong]


@pytest.mark.parametrize(
    ("image", "depth", "frame"),
    [
        ("Scene01/fog/frames/rgb/Camera_0/rgb_00001.jpg", "Scene01/fog/frames/depth/Camera_0/depth_00001.png", 1),
        (f"{DRIVE}/image_02/data/0000000005.png", f"{DRIVE}/proj_depth/groundtruth/image_02/0000000005.png", 5),
    ],
)
def test_frames_of_the_driving_sets_are_recognised(image: str, depth: str, frame: int) -> None:
    found = frame_of(Path(image))
    assert found is not None and found == frame_of(Path(depth)) and int(found[-1]) == frame
    assert find_other_frames([pair(image, depth)]) == {}
    assert len(find_other_frames([pair(image.replace(f"{frame}.", f"{frame + 1}."), depth)])) == 1


def test_a_list_that_slipped_by_a_line_is_noticed() -> None:
    names = ["0001", "0002", "0003"]
    slipped = [pair(f"rgb_{name}.jpg", f"depth_{other}.png") for name, other in pairwise(names)]
    assert list(find_other_frames(slipped)) == slipped
    assert find_other_frames([pair(f"rgb_{name}.jpg", f"sync_depth_{name}.png") for name in names]) == {}


def test_names_that_never_agree_are_not_doubted() -> None:
    assert find_other_frames([pair("1305031102.175.png", "1305031102.160.png"), pair("a.png", "b.png")]) == {}


def test_the_same_name_in_another_scene_is_not_doubted() -> None:
    pairs = [pair("one/x.jpg", "one/y.npy", "one"), pair("two/y.jpg", "two/x.npy", "two")]
    assert find_other_frames(pairs) == {}
