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
from made_depth import make_depth
from numpy.typing import NDArray
from PIL import Image

from depthrt.bench.accuracy.ground_truth import STEREO_MOTORCYCLE, GroundTruth, open_ground_truth, open_ground_truths
from depthrt.bench.accuracy.true_depth import TrueDepth, read_true_depth
from depthrt.engine.errors import BackendUnavailable, InputError
from depthrt.engine.images.write import write_image
from depthrt.engine.terms import Format
from depthrt.finetune.data.write_dataset import Dataset, write_hypersim, write_vkitti2
from depthrt.finetune.scenes.render import render_scenes, scene_cameras
from depthrt.finetune.scenes.scene import Scenes

FLOAT32 = 3e-7  # planar depth to distance and back: two roundings to float32
HALF_A_MM = 5e-4 + 1e-6
HALF_A_CM = 5e-3 + 1e-4
SIZE_PX = (24, 32)
SEED = 41  # its street shows sky


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads cost more than they bring on small pictures, and wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def depth_map(seed: int = 0) -> NDArray[np.float32]:
    values: NDArray[np.float32] = np.random.default_rng(seed).uniform(0.5, 9.0, SIZE_PX).astype(np.float32)
    return values


def photo(seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (*SIZE_PX, 3)).astype(np.uint8)


def holed() -> NDArray[np.bool_]:
    valid = np.ones(SIZE_PX, np.bool_)
    valid[3:5, 7:] = False
    return valid


def put(path: Path, data: NDArray[np.generic]) -> Path:
    """Write a photograph, a 16-bit map or an array, by the path's suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, data)
    elif data.dtype == np.uint16:
        Image.fromarray(data).save(path)
    else:
        write_image(path, data)  # type: ignore[arg-type]
    return path


def known_apart(truth: TrueDepth, expected: NDArray[np.floating]) -> float:
    """Return the largest difference where the truth is known."""
    return float(np.abs(truth.values - expected)[truth.valid].max())


@pytest.mark.parametrize(
    ("name", "format", "tolerance"),
    [
        ("d.npy", "npy", 0.0),
        ("d.npz", "npz", 0.0),
        ("d.pfm", "pfm", 0.0),
        ("d.exr", "exr", 0.0),
        ("d.tiff", "tiff", 0.0),
        ("d.png", "png16", HALF_A_MM),
    ],
)
def test_what_depthrt_writes_comes_back(tmp_path: Path, name: str, format: Format, tolerance: float) -> None:
    values, valid = depth_map(), holed()
    make_depth(values, kind="metric", valid=valid).save(tmp_path / name, format=format)
    found = read_true_depth(tmp_path / name)
    assert found.kind == "metric"
    assert np.array_equal(found.valid, valid)
    assert known_apart(found, values) <= tolerance


@pytest.mark.parametrize(
    ("name", "format"), [("d.npz", "npz"), ("d.exr", "exr"), ("d.tif", "tiff"), ("d.png", "png16")]
)
def test_inverse_depth_stays_inverse(tmp_path: Path, name: str, format: Format) -> None:
    make_depth(depth_map(), kind="inverse", valid=holed()).save(tmp_path / name, format=format)
    found = read_true_depth(tmp_path / name)
    assert found.kind == "inverse"
    assert np.array_equal(found.valid, holed())
    assert known_apart(found, depth_map()) < 8.5 / 65535  # one step of the PNG's codes


@pytest.mark.parametrize(("units_per_m", "expected_m"), [(1000.0, 2.56), (256.0, 10.0)])
def test_whole_numbers_have_the_unit_that_was_said(tmp_path: Path, units_per_m: float, expected_m: float) -> None:
    codes = np.full(SIZE_PX, 2560, np.uint16)
    codes[0] = 0
    for name in ("a.png", "a.npy", "a.tif"):
        found = read_true_depth(put(tmp_path / name, codes), units_per_m=units_per_m)
        assert not found.valid[0].any()
        assert found.values[1:] == pytest.approx(expected_m)


def test_a_big_endian_float_map_is_read(tmp_path: Path) -> None:
    (tmp_path / "d.pfm").write_bytes(b"Pf\n32 24\n1.0\n" + depth_map()[::-1].astype(">f4").tobytes())
    assert known_apart(read_true_depth(tmp_path / "d.pfm"), depth_map()) == 0


def test_half_floats_of_other_writers_are_read(tmp_path: Path) -> None:
    import OpenEXR

    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, {"Y": depth_map().astype(np.float16)}).write(str(tmp_path / "d.exr"))
    assert known_apart(read_true_depth(tmp_path / "d.exr"), depth_map().astype(np.float16)) == 0


def test_an_archive_of_one_array_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", depth=depth_map()[..., None])
    assert known_apart(read_true_depth(tmp_path / "d.npz"), depth_map()) == 0


def test_what_is_no_depth_is_not_known() -> None:
    values = np.array([[0.0, -1.0, np.nan, np.inf, 2.0]], np.float32)
    assert TrueDepth(values, np.ones((1, 5), np.bool_)).valid.tolist() == [[False] * 4 + [True]]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("d.npy", None, "does not exist, expected a depth file"),
        ("d.png", None, "does not exist, expected a depth file"),
        ("d.txt", b"1", r"suffix '.txt' found, expected one of .npy .npz"),
        ("d.npy", b"no array", "cannot be read as depth"),
        ("d.npz", b"no array", "cannot be read as depth"),
        ("d.pfm", b"PF\n2 2\n-1\n", r"cannot be read as depth \(it begins with b'PF', expected b'Pf'"),
        ("d.pfm", b"Pf\n2 2\n-1\n1234", "cannot be read as depth"),
        ("d.exr", b"no picture", "cannot be read as depth"),
        ("d.tif", b"no picture", "cannot be read as depth"),
        ("d.png", b"no picture", "no picture found, expected depth in one channel of 16 bits"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_true_depth(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_picture_of_depth_is_no_depth(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\(24, 32, 3\) uint8 found, expected depth in one channel of 16 bits"):
        read_true_depth(put(tmp_path / "d.png", photo()))


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


def pairs_in(folder: Path) -> Path:
    put(folder / "rgb" / "a.png", photo())
    put(folder / "depth" / "a.npy", depth_map())
    return folder


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
    assert (found.cap_m, found.notes) == (None, ())
    assert next(iter(found)).truth.kind == "inverse"


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


def test_hypersim_s_constants_are_the_published_ones(tmp_path: Path) -> None:
    folder = tmp_path / "ai_001_001" / "images"
    depth = folder / "scene_cam_00_geometry_hdf5" / "frame.0000.depth_meters.hdf5"
    depth.parent.mkdir(parents=True)
    with h5py.File(depth, "w") as file:
        file["dataset"] = np.full((768, 1024), 10.0, np.float16)
    put(folder / "scene_cam_00_final_preview" / "frame.0000.tonemap.jpg", np.zeros((768, 1024, 3), np.uint8))
    (sample,) = open_ground_truth(tmp_path)
    corner = 886.81 / math.sqrt(511.5**2 + 383.5**2 + 886.81**2)
    assert sample.truth.values[0, 0] == pytest.approx(10 * corner)
    assert sample.truth.values[-1, -1] == pytest.approx(10 * corner)
    assert corner == pytest.approx(0.811, abs=5e-4)


def test_virtual_kitti_s_centimetres_become_metres_and_its_sky_nothing(vkitti2: Dataset) -> None:
    found = open_ground_truth(vkitti2.directory)
    assert (found.name, found.cap_m, len(found)) == ("vkitti2", 80.0, 2)
    sample = next(iter(found))
    expected = as_rendered("outdoor", (75, 248), 725.0087 * 248 / 1242).depth_m[0].numpy()
    assert (expected == 0).any()
    assert np.array_equal(sample.truth.valid, expected > 0)
    assert known_apart(sample.truth, expected.clip(max=655.34)) < HALF_A_CM


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
