"""Depth files of every format, in metres, with the right pixels known."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from depth_datasets import HALF_A_MM, SIZE_PX, depth_map, holed, known_apart, photo, put
from made_depth import make_depth
from numpy.typing import NDArray

from depthrt.bench.datasets.ground_truth import open_ground_truth
from depthrt.bench.datasets.true_depth import TrueDepth, read_hypersim, read_true_depth, read_vkitti2
from depthrt.engine.errors import InputError
from depthrt.engine.terms import Format, Kind


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
@pytest.mark.parametrize("kind", ["inverse", "scale"])
def test_depth_without_a_unit_keeps_its_kind(tmp_path: Path, name: str, format: Format, kind: Kind) -> None:
    make_depth(depth_map(), kind=kind, valid=holed()).save(tmp_path / name, format=format)
    found = read_true_depth(tmp_path / name)
    assert found.kind == kind
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


FLOAT32 = 1e-6  # one rounding to float32


@pytest.mark.parametrize(
    ("shape", "valid_shape"), [((2, 3), (3, 2)), ((2, 3, 1), (2, 3, 1)), ((0, 3), (0, 3)), ((3,), (3,))]
)
def test_what_is_no_map_is_refused(shape: tuple[int, ...], valid_shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"found, expected one shape \(H, W\)"):
        TrueDepth(np.ones(shape, np.float32), np.ones(valid_shape, np.bool_))


def test_depth_without_a_zero_is_no_measure(tmp_path: Path) -> None:
    make_depth(depth_map(), kind="affine").save(tmp_path / "a.npz")
    with pytest.raises(InputError, match=r"a\.npz holds affine-invariant depth, expected depth whose 0 is the camera"):
        read_true_depth(tmp_path / "a.npz")
    with pytest.raises(InputError, match="kind 'affine' found, expected one of inverse, metric, scale"):
        TrueDepth(depth_map(), depth_map() > 0, "affine")


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="kind 'disparity' found, expected one of inverse, metric"):
        TrueDepth(np.ones((1, 1), np.float32), np.ones((1, 1), np.bool_), "disparity")  # type: ignore[arg-type]


def test_what_was_taken_out_stays_out() -> None:
    values = depth_map()
    found = TrueDepth(values, holed())
    assert np.array_equal(found.valid, holed())
    assert found.shape == SIZE_PX


def write_distance(path: Path, distance: NDArray[np.floating], name: str = "dataset") -> Path:
    with h5py.File(path, "w") as file:
        file[name] = distance
    return path


@pytest.mark.parametrize("size_px", [(768, 1024), (96, 128), (5, 8)])
def test_hypersim_s_distance_becomes_depth_by_the_angle_of_each_ray(tmp_path: Path, size_px: tuple[int, int]) -> None:
    height, width = size_px
    found = read_hypersim(write_distance(tmp_path / "d.hdf5", np.full(size_px, 10.0)))
    focal_px = 886.81 * width / 1024
    for row, column in ((0, 0), (height - 1, 0), (height // 2, width - 1)):
        x, y = column - (width - 1) / 2, row - (height - 1) / 2
        expected = 10 * math.cos(math.atan(math.hypot(x, y) / focal_px))
        assert found.values[row, column] == pytest.approx(expected, rel=FLOAT32)
    assert found.kind == "metric" and found.valid.all()


def test_hypersim_s_missing_rays_are_not_known(tmp_path: Path) -> None:
    distance = np.full((6, 8), 3.0, np.float16)
    distance[2, 3] = np.nan
    found = read_hypersim(write_distance(tmp_path / "d.hdf5", distance))
    assert np.argwhere(~found.valid).tolist() == [[2, 3]]


@pytest.mark.parametrize("content", ["no file", "text", "another name", "three axes"])
def test_another_file_is_not_taken_for_hypersim_s(tmp_path: Path, content: str) -> None:
    path = tmp_path / "d.hdf5"
    if content == "text":
        path.write_text("no depth")
    elif content == "another name":
        write_distance(path, np.ones((2, 2)), "depth")
    elif content == "three axes":
        write_distance(path, np.ones((2, 2, 1)))
    with pytest.raises(InputError, match=r"d\.hdf5 .*depth file of Hypersim .*download it again"):
        read_hypersim(path)


def test_virtual_kitti_s_codes_are_centimetres_up_to_the_sky(tmp_path: Path) -> None:
    codes = np.array([[0, 1, 100, 65534, 65535]], np.uint16)
    found = read_vkitti2(put(tmp_path / "d.png", codes))
    assert found.values[0, 1:4] == pytest.approx([0.01, 1.0, 655.34], rel=FLOAT32)
    assert found.valid.tolist() == [[False, True, True, True, False]]


def test_a_photograph_is_not_taken_for_virtual_kitti_s_depth(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected depth in one channel of 16 bits"):
        read_vkitti2(put(tmp_path / "d.png", photo()))


@pytest.mark.parametrize("name", ["a.png", "a.npy", "a.npz", "a.tif"])
@pytest.mark.parametrize("units_per_m", [1000.0, 256.0])
def test_the_full_scale_of_another_writer_is_unknown(tmp_path: Path, name: str, units_per_m: float) -> None:
    codes = np.full(SIZE_PX, 3000, np.uint16)
    codes[:, :7] = 65535
    path = tmp_path / name
    if path.suffix == ".npz":
        np.savez(path, depth=codes)
    else:
        put(path, codes)
    found = read_true_depth(path, units_per_m=units_per_m)
    assert np.array_equal(found.valid, codes < 65535)
    assert found.left_out == {"at the full scale of 65535": 7 * SIZE_PX[0]}


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.uint32, np.int64])
def test_every_type_of_whole_numbers_has_its_full_scale(tmp_path: Path, dtype: type[np.integer[Any]]) -> None:
    codes = np.full((2, 3), 2000, dtype)
    codes[0, 0], codes[0, 1] = np.iinfo(dtype).max, -1 if np.iinfo(dtype).min else 0
    found = read_true_depth(put(tmp_path / "a.npy", codes))
    assert found.valid.tolist() == [[False, False, True], [True] * 3]
    assert found.values[1] == pytest.approx(2.0)


def test_depth_of_depthrt_at_the_end_of_its_png_counts(tmp_path: Path) -> None:
    values = np.full(SIZE_PX, 65.535, np.float32)
    make_depth(values, kind="metric").save(tmp_path / "m.png", format="png16")
    make_depth(depth_map(), kind="inverse").save(tmp_path / "i.png", format="png16")
    for name in ("m.png", "i.png"):
        found = read_true_depth(tmp_path / name)
        assert found.valid.all() and not found.left_out


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("a.npy", np.ones((4, 5), np.bool_), "holds bool, which is a mask or a picture, expected depth"),
        ("a.npy", np.ones((4, 5), np.uint8), "holds uint8, which is a mask or a picture"),
        ("a.npy", np.ones((4, 5), np.int8), "holds int8"),
        ("a.npy", np.ones((4, 5), np.complex64), "holds complex64, expected real numbers"),
        ("a.npy", np.full((4, 5), "3.0"), r"holds <U3, expected real numbers"),
        ("a.npy", np.ones((4, 5), "m8[s]"), r"holds timedelta64\[s\], expected real numbers"),
        ("a.npy", np.ones((4, 5, 2), np.float32), r"holds \(4, 5, 2\), expected one map \(H, W\)"),
        ("a.npy", np.ones((3, 4, 5), np.float32), r"holds \(3, 4, 5\), expected one map"),
        ("a.npy", np.ones(5, np.float32), r"holds \(5,\), expected one map"),
        ("a.npy", np.ones((0, 5), np.float32), r"expected one shape \(H, W\)"),
        ("a_disparity.npy", np.ones((4, 5), np.float32), "is named disparity, expected depth in metres"),
        ("disp/a.npy", np.ones((4, 5), np.float32), "is named disp, expected depth in metres"),
        ("a_inv_depth.npy", np.ones((4, 5), np.float32), "is named inv, expected depth in metres"),
    ],
)
def test_numbers_that_are_no_depth_are_refused(tmp_path: Path, name: str, values: NDArray[Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_true_depth(put(tmp_path / name, values))
    assert "\n" not in str(caught.value)


def test_depth_with_its_kind_may_have_any_name(tmp_path: Path) -> None:
    make_depth(depth_map(), kind="inverse").save(tmp_path / "a_inverse.npz")
    assert read_true_depth(tmp_path / "a_inverse.npz").kind == "inverse"


@pytest.mark.parametrize("shape", [(1, 4), (4, 1), (1, 1), (1, 4, 5), (4, 5, 1), (1, 4, 5, 1), (1, 1, 5)])
def test_axes_of_length_one_beside_a_map_are_dropped(tmp_path: Path, shape: tuple[int, ...]) -> None:
    found = read_true_depth(put(tmp_path / "a.npy", np.full(shape, 2.0, np.float32)))
    expected = {(1, 4, 5): (4, 5), (4, 5, 1): (4, 5), (1, 4, 5, 1): (4, 5), (1, 1, 5): (1, 5)}.get(shape, shape)
    assert found.shape == expected and found.valid.all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
def test_floats_of_every_width_are_metres(tmp_path: Path, dtype: str) -> None:
    values = np.array([[0.5, 2.25, np.inf, np.nan, -1.0, 0.0, -np.inf]], dtype)
    found = read_true_depth(put(tmp_path / "a.npy", values))
    assert found.valid.tolist() == [[True, True] + [False] * 5]
    assert found.values[0, :2].tolist() == [0.5, 2.25]


def test_a_number_that_float32_does_not_hold_is_unknown(tmp_path: Path) -> None:
    found = read_true_depth(put(tmp_path / "a.npy", np.array([[1e300, 2.0]])))
    assert found.valid.tolist() == [[False, True]]


def test_depth_in_an_archive_has_the_mask_beside_it(tmp_path: Path) -> None:
    mask = holed()
    np.savez(tmp_path / "a.npz", depth=(depth_map() * 1000).astype(np.uint16), mask=mask, intrinsics=np.eye(3))
    found = read_true_depth(tmp_path / "a.npz")
    assert np.array_equal(found.valid, mask)
    assert known_apart(found, depth_map()) < 2e-3


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"disparity": depth_map()}, r"holds disparity \(24, 32\), expected one array named depth"),
        ({"mask": depth_map()}, "expected one array named depth"),
        ({"left": depth_map(), "right": depth_map()}, r"holds left \(24, 32\), right \(24, 32\), expected one array"),
        ({"depth": depth_map(), "z": depth_map()}, "expected one array named depth"),
        ({"depth": depth_map(), "confidence": depth_map()}, "expected depth and at most one mask"),
        ({"depth": depth_map(), "mask": holed(), "valid": holed()}, "expected depth and at most one mask"),
        ({"depth": depth_map(), "mask": depth_map()}, "mask mask in .* expected 0 and one other value"),
        ({}, "holds nothing, expected one array named depth"),
    ],
)
def test_an_archive_that_does_not_say_which_array_is_depth_is_refused(
    tmp_path: Path, arrays: dict[str, NDArray[Any]], message: str
) -> None:
    np.savez(tmp_path / "a.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=message):
        read_true_depth(tmp_path / "a.npz")


def test_a_pipe_is_no_depth_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.npy")
    with pytest.raises(InputError, match="is no regular file, expected a depth file"):
        read_true_depth(tmp_path / "a.npy")
