"""Depth files of every format, in metres, with the right pixels known."""

from __future__ import annotations

import math
from pathlib import Path

import h5py
import numpy as np
import pytest
from depth_datasets import HALF_A_MM, SIZE_PX, depth_map, holed, known_apart, photo, put
from made_depth import make_depth

from depthrt.bench.accuracy.ground_truth import open_ground_truth
from depthrt.bench.accuracy.true_depth import TrueDepth, read_true_depth
from depthrt.engine.errors import InputError
from depthrt.engine.terms import Format


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
