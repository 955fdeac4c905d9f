"""Image and depth files are paired by their layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from depth_datasets import HALF_A_MM, depth_map, known_apart, photo, put

from depthrt.bench.datasets.ground_truth import open_ground_truth
from depthrt.bench.datasets.pairs.layouts import Pairs, find_pairs
from depthrt.engine.errors import InputError


@pytest.mark.parametrize(
    ("image", "depth"),
    [
        ("rgb/{}.png", "depth/{}.png"),
        ("images/day/{}.png", "gt/day/{}.npy"),
        ("rgb/{}.png", "depth/{}_depth.png"),
        ("{}.png", "{}_depth.png"),
        ("{}.png", "{}.npy"),
        ("sub/{}.png", "sub/{}-depth.npy"),
    ],
)
def test_folders_of_pairs_are_understood(tmp_path: Path, image: str, depth: str) -> None:
    for seed in range(3):
        put(tmp_path / image.format(f"n{seed}"), photo(seed))
        codes = (depth_map(seed) * 1000).astype(np.uint16)
        put(tmp_path / depth.format(f"n{seed}"), depth_map(seed) if depth.endswith("npy") else codes)
    put(tmp_path / image.format("alone"), photo())
    found = open_ground_truth(tmp_path)
    assert len(found) == 3
    assert (found.cap_m, found.name) == (80.0, tmp_path.name)
    for seed, sample in enumerate(found):
        assert sample.name == image.format(f"n{seed}").removesuffix(".png")
        assert np.array_equal(sample.image, photo(seed))
        assert known_apart(sample.truth, depth_map(seed)) < 2 * HALF_A_MM
    assert found.notes == (
        "1 of 4 photographs have no depth",
        "depth files without a unit are read as metres, whole numbers as 1/1000 m",
    )


def test_a_list_names_its_pairs_from_where_it_lies(tmp_path: Path) -> None:
    put(tmp_path / "a" / "x.png", photo())
    put(tmp_path / "b" / "y.npy", depth_map())
    (tmp_path / "some.txt").write_text("a/x.png b/y.npy\n")
    (sample,) = open_ground_truth(tmp_path / "some.txt")
    assert sample.name == "a/x"
    assert known_apart(sample.truth, depth_map()) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a list of pairs"),
        ("a.png b.npy c", "is not a list of pairs, expected an image and a depth path on each line"),
        ("a.jpg x.depth_meters.hdf5\na.jpg b.npy", "mixes files and hypersim, expected files of one layout"),
        ("a.jpg b.npy", "has 1 depth files, but no image .*a.jpg; add the images"),
    ],
)
def test_lists_that_do_not_work_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(InputError, match=message):
        open_ground_truth(tmp_path / "list.txt")


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


def pairs(folder: Path, *files: tuple[str, str], layout: str = "files", more: int = 0) -> Pairs:
    """Return pairs in a folder, with so many images without depth."""
    return Pairs(layout, tuple((folder / image, folder / depth) for image, depth in files), more)  # type: ignore[arg-type]


HYPERSIM = "ai_001_001/images/scene_cam_00"


VKITTI2 = "Scene01/clone/frames"


def test_hypersim_s_images_lie_in_the_preview_of_the_same_camera(tmp_path: Path) -> None:
    names = [f"{HYPERSIM}_geometry_hdf5/frame.000{number}.depth_meters.hdf5" for number in (1, 0)]
    assert find_pairs(touch(tmp_path, *names)) == pairs(
        tmp_path,
        *((f"{HYPERSIM}_final_preview/frame.000{number}.tonemap.jpg", names[1 - number]) for number in (0, 1)),
        layout="hypersim",
    )


def test_virtual_kitti_s_images_lie_in_the_same_camera_s_folder(tmp_path: Path) -> None:
    names = [f"{VKITTI2}/depth/Camera_{number}/depth_00007.png" for number in (0, 1)]
    assert find_pairs(touch(tmp_path, *names)) == pairs(
        tmp_path,
        *((f"{VKITTI2}/rgb/Camera_{number}/rgb_00007.jpg", names[number]) for number in (0, 1)),
        layout="vkitti2",
    )


@pytest.mark.parametrize("images", ["rgb", "image", "images", "color", "colour", "photos", "RGB"])
@pytest.mark.parametrize("depths", ["depth", "depths", "gt", "ground_truth", "Depth"])
def test_two_folders_of_the_usual_names_are_matched(tmp_path: Path, images: str, depths: str) -> None:
    touch(
        tmp_path, f"{images}/a/1.jpg", f"{images}/a/2.png", f"{depths}/a/1.npy", f"{depths}/a/2.png", f"{depths}/3.npy"
    )
    assert find_pairs(tmp_path) == pairs(
        tmp_path, (f"{images}/a/1.jpg", f"{depths}/a/1.npy"), (f"{images}/a/2.png", f"{depths}/a/2.png")
    )


@pytest.mark.parametrize(
    ("image", "depth"),
    [
        ("a.jpg", "a.npy"),
        ("a.jpg", "a_depth.png"),
        ("a.png", "a-depth.tiff"),
        ("b/a.JPG", "b/a.depth.exr"),
        ("a.jpg", "a_depth.PFM"),
    ],
)
def test_files_side_by_side_are_matched_by_their_bare_name(tmp_path: Path, image: str, depth: str) -> None:
    touch(tmp_path, image, depth, "notes.txt")
    assert find_pairs(tmp_path) == pairs(tmp_path, (image, depth))


def test_images_without_depth_are_counted_and_hidden_files_are_not(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "a.npy", "b.jpg", "c.png", ".d.jpg", ".d.npy")
    found = find_pairs(tmp_path)
    assert found is not None and found.left_out == "left out: 1 hidden file (.d.jpg)"
    assert replace(found, left_out="") == pairs(tmp_path, ("a.jpg", "a.npy"), more=2)


def test_a_data_set_of_links_has_its_pairs(tmp_path: Path) -> None:
    touch(tmp_path, "raw/1.jpg", "raw/1.npy", "far/ai_1/images/scene_cam_00_geometry_hdf5/frame.0.depth_meters.hdf5")
    for name, target in {"set/a.jpg": "1.jpg", "set/a.npy": "1.npy", "set/b.npy": "1.npy"}.items():
        (tmp_path / "set").mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(tmp_path / "raw" / target)
    (tmp_path / "set" / "c.jpg").hardlink_to(tmp_path / "raw" / "1.jpg")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "loop").symlink_to(tmp_path / "links")
    (tmp_path / "links" / "real").symlink_to(tmp_path / "set")
    assert find_pairs(tmp_path / "links") == pairs(tmp_path / "links" / "real", ("a.jpg", "a.npy"), more=1)
    (tmp_path / "hypersim").mkdir()
    (tmp_path / "hypersim" / "ai_1").symlink_to(tmp_path / "far" / "ai_1")
    found = find_pairs(tmp_path / "hypersim")
    assert found is not None and (found.layout, len(found.files)) == ("hypersim", 1)


SELECTED = "2011_09_26_drive_0002_sync_{}_0000000005_image_02.png"
DRIVE = "2011_09_26_drive_0002_sync"


@pytest.mark.parametrize(
    ("image", "depth", "other"),
    [
        (
            f"raw/2011_09_26/{DRIVE}/image_02/data/0000000005.png",
            f"gt/val/{DRIVE}/proj_depth/groundtruth/image_02/0000000005.png",
            f"gt/val/{DRIVE}/proj_depth/velodyne_raw/image_02/0000000005.png",
        ),
        (
            f"image/{SELECTED.format('image')}",
            f"groundtruth_depth/{SELECTED.format('groundtruth_depth')}",
            f"velodyne_raw/{SELECTED.format('velodyne_raw')}",
        ),
    ],
)
def test_kitti_s_depth_belongs_to_the_frame_of_its_drive_camera_and_number(
    tmp_path: Path, image: str, depth: str, other: str
) -> None:
    of_another_camera = image.replace("image_02", "image_03")
    touch(tmp_path, image, depth, other, of_another_camera)
    assert find_pairs(tmp_path) == pairs(tmp_path, (image, depth), layout="kitti")


def test_kitti_s_depth_without_its_frame_names_the_frame(tmp_path: Path) -> None:
    found = find_pairs(touch(tmp_path, f"{DRIVE}/proj_depth/groundtruth/image_03/0000000007.png"))
    assert found is not None
    assert found.files[0][0] == Path("2011_09_26", DRIVE, "image_03", "data", "0000000007.png")


@pytest.mark.parametrize(
    ("names", "alone", "depths_alone"),
    [
        (("rgb/1.jpg", "depth/1.npy", "rgb/2.jpg", "depth/3.npy"), ["rgb/2.jpg"], ["depth/3.npy"]),
        (("1.jpg", "1.npy", "2.jpg", "3.npy", "1_mask.npy"), ["2.jpg"], ["3.npy"]),
        (
            (
                f"{HYPERSIM}_final_preview/frame.0000.tonemap.jpg",
                f"{HYPERSIM}_geometry_hdf5/frame.0000.depth_meters.hdf5",
                f"{HYPERSIM}_final_preview/frame.0001.tonemap.jpg",
                f"{HYPERSIM}_final_preview/frame.0000.color.jpg",
            ),
            [f"{HYPERSIM}_final_preview/frame.0001.tonemap.jpg"],
            [],
        ),
        (
            (
                f"{VKITTI2}/depth/Camera_0/depth_00007.png",
                f"{VKITTI2}/rgb/Camera_0/rgb_00007.jpg",
                f"{VKITTI2}/rgb/Camera_1/rgb_00007.jpg",
            ),
            [f"{VKITTI2}/rgb/Camera_1/rgb_00007.jpg"],
            [],
        ),
    ],
)
def test_what_has_lost_its_partner_is_named(
    tmp_path: Path, names: Sequence[str], alone: Sequence[str], depths_alone: Sequence[str]
) -> None:
    found = find_pairs(touch(tmp_path, *names))
    assert found is not None and len(found.files) == 1
    assert [path.relative_to(tmp_path).as_posix() for path in found.alone] == alone
    assert [path.relative_to(tmp_path).as_posix() for path in found.depths_alone] == depths_alone
    assert found.unpaired == len(alone)


def test_the_same_name_in_another_folder_is_no_pair(tmp_path: Path) -> None:
    assert find_pairs(touch(tmp_path, "a/1.jpg", "b/1.npy")) is None


@pytest.mark.parametrize("names", [(), ("a.jpg", "b.png"), ("rgb/a.jpg", "depth/b.npy"), ("a.npy",)])
def test_a_folder_without_a_pair_has_none(tmp_path: Path, names: Sequence[str]) -> None:
    assert find_pairs(touch(tmp_path, *names)) is None


def test_a_folder_named_like_a_file_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "b.jpg").mkdir()
    touch(tmp_path, "a.jpg", "a.npy")
    assert find_pairs(tmp_path) == pairs(tmp_path, ("a.jpg", "a.npy"))


@pytest.mark.parametrize(
    ("depth", "layout"),
    [
        (f"{HYPERSIM}_geometry_hdf5/frame.0000.depth_meters.hdf5", "hypersim"),
        (f"{VKITTI2}/depth/Camera_0/depth_00007.png", "vkitti2"),
        ("depth/a.png", "files"),
    ],
)
def test_a_list_s_layout_is_that_of_its_depth_paths_and_its_order_stays(
    tmp_path: Path, depth: str, layout: str
) -> None:
    (tmp_path / "list.txt").write_text(f"b.jpg {depth}\n\na.jpg\t{depth}\n")
    assert find_pairs(tmp_path / "list.txt") == pairs(tmp_path, ("b.jpg", depth), ("a.jpg", depth), layout=layout)


def test_a_list_may_have_whole_paths(tmp_path: Path) -> None:
    image, depth = tmp_path / "x" / "a.jpg", tmp_path / "y" / "a.npy"
    (tmp_path / "some.TXT").write_text(f"{image} {depth}\n")
    assert find_pairs(tmp_path / "some.TXT") == Pairs("files", ((image, depth),))


@pytest.mark.parametrize("text", ["", "\n \n", "a.jpg\n", "a.jpg b.npy c d\n", "a b.jpg a b.npy\n"])
def test_a_list_of_other_lines_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(InputError, match="list of pairs, expected an image and a depth path on each line"):
        find_pairs(tmp_path / "list.txt")


def test_another_file_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("a.jpg a.npy\n")
    assert find_pairs(tmp_path / "pairs.csv") is None


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a.jpg", "a.npy", "a_depth.png"), r"a\.jpg has the depth files .*a\.npy and .*a_depth\.png, expected one"),
        (("rgb/a.jpg", "depth/a.npy", "depth/a.exr"), r"has the depth files .*a\.exr and .*a\.npy, expected one"),
        (("a.jpg", "a.png", "a.npy"), r"a\.npy has the photographs .*a\.jpg and .*a\.png"),
        (("rgb/a.jpg", "depth/a.npy", "gt/a.npy"), "has the folders depth and gt, expected one"),
        (("rgb/a.jpg", "photos/a.jpg", "depth/a.npy"), "has the folders photos and rgb, expected one"),
    ],
)
def test_files_that_may_belong_together_in_two_ways_are_refused(
    tmp_path: Path, names: Sequence[str], message: str
) -> None:
    with pytest.raises(InputError, match=f"{message}.*move"):
        find_pairs(touch(tmp_path, *names))


def test_depth_files_without_a_photograph_may_share_a_name(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "a.npy", "b.npy", "b.exr")
    assert find_pairs(tmp_path) == pairs(tmp_path, ("a.jpg", "a.npy"))
