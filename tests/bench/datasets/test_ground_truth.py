"""Holds that measured depth comes out of every layout in metres, with the right pixels known."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import torch
from depth_datasets import SIZE_PX, depth_map, known_apart, pairs_in, photo, put
from made_depth import make_depth
from numpy.typing import NDArray

from depthrt.bench.datasets.ground_truth import STEREO_MOTORCYCLE, GroundTruth, open_ground_truth, open_ground_truths
from depthrt.bench.datasets.manifest import MANIFEST, read_manifest, write_manifest
from depthrt.engine.errors import BackendUnavailable, InputError
from depthrt.finetune.data.write_dataset import Dataset, write_hypersim, write_vkitti2
from depthrt.finetune.scenes.render import render_scenes, scene_cameras
from depthrt.finetune.scenes.scene import Scenes

FLOAT32 = 3e-7  # planar depth to distance and back: two roundings to float32
HALF_A_CM = 5e-3 + 1e-4
SEED = 41  # its street shows sky


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads cost more than they bring on small pictures, and wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["indoor/val", "outdoor/val", "other"], ["indoor/val", "outdoor/val", "other"]),
        (["a/x/val", "b/x/val"], ["a/x/val", "b/x/val"]),
        (["val", "val"], ["val"]),
    ],
)
def test_data_sets_of_one_name_are_told_apart_by_where_they_lie(
    tmp_path: Path, folders: list[str], names: list[str]
) -> None:
    found = open_ground_truths([pairs_in(tmp_path / folder) for folder in folders])
    assert [one.name for one in found] == names


def test_a_list_and_a_folder_of_one_name_are_told_apart(tmp_path: Path) -> None:
    folder = pairs_in(tmp_path / "val")
    (tmp_path / "val.txt").write_text("val/rgb/a.png val/depth/a.npy\n")
    assert [one.name for one in open_ground_truths([folder, tmp_path / "val.txt"])] == ["val", "val.txt"]


def test_every_data_set_that_is_opened_has_the_unit_that_was_said(tmp_path: Path) -> None:
    folders = [pairs_in(tmp_path / name) for name in ("one", "other")]
    for folder in folders:
        (folder / "depth" / "a.npy").unlink()
        put(folder / "depth" / "a.png", np.full(SIZE_PX, 20 * 256, np.uint16))  # as KITTI writes 20 m
    for found in open_ground_truths(folders, units_per_m=256):
        assert next(iter(found)).truth.values == pytest.approx(20.0)


def test_a_folder_of_inverse_depth_has_no_cap(tmp_path: Path) -> None:
    put(tmp_path / "a.png", photo())
    make_depth(depth_map(), kind="inverse").save(tmp_path / "a.npz")
    found = open_ground_truth(tmp_path)
    assert (found.cap_m, found.notes, found.kind) == (None, (), "inverse")
    assert next(iter(found)).truth.kind == "inverse"
    make_depth(depth_map(), kind="scale").save(tmp_path / "a.npz")
    found = open_ground_truth(tmp_path)
    assert (found.cap_m, found.notes, found.kind) == (None, (), "scale")
    assert next(iter(found)).truth.kind == "scale"


def as_rendered(setting: str, size_px: tuple[int, int], focal_px: float) -> Scenes:
    own = scene_cameras([SEED], setting=setting)
    fov = torch.full_like(own.fov_rad, 2 * math.atan(max(size_px) / 2 / focal_px))
    cameras = replace(own, fov_rad=fov)
    return render_scenes([SEED], height_px=size_px[0], width_px=size_px[1], setting=setting, cameras=cameras)


@pytest.fixture(scope="module")
def hypersim(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write_hypersim(tmp_path_factory.mktemp("data") / "h", 2, seed=SEED, height_px=96, width_px=128)


@pytest.fixture(scope="module")
def vkitti2(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write_vkitti2(tmp_path_factory.mktemp("data") / "v", 2, seed=SEED, height_px=75, width_px=248)


def test_hypersim_s_distance_becomes_planar_depth(hypersim: Dataset) -> None:
    found = open_ground_truth(hypersim.directory)
    assert (found.name, found.cap_m, len(found), found.notes) == ("hypersim", 20.0, 2, ())
    sample = next(iter(found))
    expected = as_rendered("indoor", (96, 128), 886.81 / 8).depth_m[0].numpy()
    assert sample.name == "ai_001_001/images/scene_cam_00_final_preview/frame.0000.tonemap"
    assert sample.image.shape == (96, 128, 3)
    assert np.array_equal(sample.truth.valid, expected > 0)
    assert known_apart(sample.truth, expected) < FLOAT32 * expected.max()


def test_virtual_kitti_s_centimetres_become_metres_and_its_sky_nothing(vkitti2: Dataset) -> None:
    found = open_ground_truth(vkitti2.directory)
    assert (found.name, found.cap_m, len(found)) == ("vkitti2", 80.0, 2)
    sample = next(iter(found))
    expected = as_rendered("outdoor", (75, 248), 725.0087 * 248 / 1242).depth_m[0].numpy()
    assert (expected == 0).any()
    assert np.array_equal(sample.truth.valid, expected > 0)
    assert known_apart(sample.truth, expected.clip(max=655.34)) < HALF_A_CM


def test_kitti_s_depth_is_in_256ths_of_a_metre_whatever_the_unit_of_others(tmp_path: Path) -> None:
    codes = np.full(SIZE_PX, 20 * 256, np.uint16)
    codes[3, 4] = 0
    for drive in ("2011_09_26_drive_0002_sync", "2011_10_03_drive_0034_sync"):
        put(tmp_path / "raw" / drive[:10] / drive / "image_02" / "data" / "0000000005.png", photo())
        put(tmp_path / "gt" / "val" / drive / "proj_depth" / "groundtruth" / "image_02" / "0000000005.png", codes)
    found = open_ground_truth(tmp_path, units_per_m=1000)
    assert (found.name, found.cap_m, found.notes) == ("kitti", 80.0, ())
    assert [pair.scene for pair in found.pairs] == ["2011_09_26_drive_0002_sync", "2011_10_03_drive_0034_sync"]
    for sample in found:
        assert np.array_equal(sample.truth.valid, codes > 0)
        assert sample.truth.values[sample.truth.valid] == pytest.approx(20.0)


def test_a_manifest_may_mix_layouts_and_is_named_after_its_folder(hypersim: Dataset, vkitti2: Dataset) -> None:
    folder = hypersim.directory.parent / "mixed"
    folder.mkdir()
    entries = []
    for written in (hypersim.directory, vkitti2.directory):
        (folder / written.name).symlink_to(written)
        for entry in read_manifest(written / MANIFEST):
            image, depth = f"{written.name}/{entry.image}", f"{written.name}/{entry.depth}"
            entries.append(replace(entry, image=image, depth=depth, mask=None))
    write_manifest(folder / MANIFEST, entries)
    found = open_ground_truth(folder)
    assert (found.name, found.cap_m, len(found)) == ("mixed", 80.0, 4)
    apart = [*open_ground_truth(hypersim.directory), *open_ground_truth(vkitti2.directory)]
    for sample, expected in zip(found, apart, strict=True):
        assert np.array_equal(sample.truth.values, expected.truth.values)


def test_two_of_one_layout_are_told_apart(vkitti2: Dataset) -> None:
    found = open_ground_truths(
        [path for path in (vkitti2.directory, vkitti2.train, vkitti2.val) if path.stat().st_size]
    )
    assert found[0].name == f"vkitti2 {vkitti2.directory.name}"
    assert len({one.name for one in found}) == len(found) > 1


@pytest.mark.parametrize("layout", ["hypersim", "vkitti2"])
def test_the_lists_of_the_scene_generator_are_understood(layout: str, request: pytest.FixtureRequest) -> None:
    written: Dataset = request.getfixturevalue(layout)
    lists = [open_ground_truth(path) for path in (written.train, written.val) if path.read_text()]
    whole = open_ground_truth(written.directory)
    assert {found.name for found in lists} == {layout}
    assert [sample.name for found in lists for sample in found] == [sample.name for sample in whole]
    assert np.array_equal(next(iter(lists[0])).truth.values, next(iter(whole)).truth.values)


def test_depth_without_its_picture_is_left_out_and_said(tmp_path: Path) -> None:
    written = write_vkitti2(tmp_path / "v", 3, height_px=12, width_px=40)
    next(written.directory.rglob("rgb_00001.jpg")).unlink()
    found = open_ground_truth(written.directory)
    assert len(found) == 2
    assert found.notes == ("1 of 3 depth files have no image",)


def write_nyu(path: Path, images: NDArray[np.uint8], **depths: NDArray[np.float32]) -> None:
    """Write images (N, H, W, 3) RGB and depths (N, H, W) as MATLAB's HDF5 does: the axes turned around."""
    with h5py.File(path, "w") as file:
        file["images"] = images.transpose(0, 3, 2, 1)
        for name, values in depths.items():
            file[name] = values.transpose(0, 2, 1)


def test_nyu_s_turned_axes_are_turned_back(tmp_path: Path) -> None:
    rgb = np.stack([photo(0), photo(1)])
    depths = np.stack([depth_map(0), depth_map(1)])
    depths[1, 2, 3] = 0
    filled = np.where(depths > 0, depths, np.float32(3))
    write_nyu(tmp_path / "nyu_depth_v2_labeled.mat", rgb, depths=filled, rawDepths=depths)
    found = open_ground_truth(tmp_path / "nyu_depth_v2_labeled.mat")
    assert (found.name, found.cap_m, len(found)) == ("nyu", 10.0, 2)
    assert found.notes == ("the training images of NYU v2 are among those judged",)
    for index, sample in enumerate(found):
        assert sample.name == f"000{index + 1}"
        assert np.array_equal(cv2.cvtColor(sample.image, cv2.COLOR_BGR2RGB), rgb[index])
        assert known_apart(sample.truth, depths[index]) == 0
        assert np.count_nonzero(~sample.truth.valid) == index


def test_without_what_the_sensor_saw_the_filled_depth_is_taken_and_said(tmp_path: Path) -> None:
    write_nyu(tmp_path / "nyu.mat", photo()[None], depths=depth_map()[None])
    found = open_ground_truth(tmp_path / "nyu.mat")
    assert known_apart(next(iter(found)).truth, depth_map()) == 0
    assert found.notes[-1] == "it has no rawDepths, and the unknown pixels of its depths were filled in"


def test_the_stereo_photograph_is_in_metres() -> None:
    import skimage.data

    found = open_ground_truth(STEREO_MOTORCYCLE)
    (sample,) = found
    left, _, disparity = skimage.data.stereo_motorcycle()  # type: ignore[no-untyped-call, unused-ignore]
    assert np.array_equal(sample.image[..., ::-1], left)
    assert np.array_equal(sample.truth.valid, np.isfinite(disparity))
    row, column = 400, 300
    expected = 994.978 * 0.193001 / (disparity[row, column] + 31.086)
    assert sample.truth.values[row, column] == pytest.approx(expected)
    known = sample.truth.values[sample.truth.valid]
    assert 2 < known.min() < known.max() < 5.1  # a motorcycle in a workshop


def test_a_part_of_a_data_set_is_spread_over_it(tmp_path: Path) -> None:
    for number in range(10):
        put(tmp_path / f"n{number}.png", photo())
        put(tmp_path / f"n{number}.npy", depth_map())
    found = open_ground_truth(tmp_path)

    def names(part: GroundTruth) -> list[str]:
        return [pair.name for pair in part.pairs]

    assert names(found.spread(3)) == ["n0", "n3", "n6"]
    assert names(found.spread(99)) == names(found)
    with pytest.raises(InputError, match="expected 1 or more"):
        found.spread(0)


@pytest.mark.parametrize("package", ["h5py", "skimage.data"])
def test_a_missing_package_is_named_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # what makes Python say that it is missing
    source: str | Path = STEREO_MOTORCYCLE
    if package == "h5py":
        source = tmp_path / "nyu.mat"
        (tmp_path / "nyu.mat").write_bytes(b"")
    with pytest.raises(BackendUnavailable, match=r"is missing, .* pip install 'depthrt\[bench\]'"):
        open_ground_truth(source)


def test_a_layout_that_is_not_understood_is_told_which_are(tmp_path: Path) -> None:
    put(tmp_path / "a.png", photo())
    for source in (tmp_path, tmp_path / "a.png", tmp_path / "missing", "motorbike"):
        with pytest.raises(InputError) as caught:
            open_ground_truth(source)
        message = str(caught.value)
        assert all(
            name in message for name in ("rgb/ and depth/", ".txt", "Hypersim", "Virtual KITTI 2", "NYU", "stereo")
        )
        assert "\n" not in message


@pytest.mark.parametrize(
    ("images", "depths", "message"),
    [
        ((2, 3, 8, 6), (2, 6, 8), r"expected \(N, 3, W, H\) and \(N, W, H\)"),
        ((2, 8, 6, 3), (2, 8, 6), r"expected \(N, 3, W, H\) and \(N, W, H\)"),
    ],
)
def test_another_mat_is_refused(tmp_path: Path, images: tuple[int, ...], depths: tuple[int, ...], message: str) -> None:
    with h5py.File(tmp_path / "x.mat", "w") as file:
        file["images"], file["depths"] = np.zeros(images, np.uint8), np.zeros(depths, np.float32)
    with pytest.raises(InputError, match=message):
        open_ground_truth(tmp_path / "x.mat")


@pytest.mark.parametrize("units_per_m", [0.0, -1.0, math.nan, math.inf])
def test_an_impossible_unit_is_refused(tmp_path: Path, units_per_m: float) -> None:
    with pytest.raises(InputError, match="units a metre found, expected a positive number"):
        open_ground_truth(tmp_path, units_per_m=units_per_m)
