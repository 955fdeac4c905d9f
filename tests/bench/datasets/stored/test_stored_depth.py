"""Depth files of every format keep untouched values, and read back the depth that some pixels got."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from drawn_room import distance_of, draw_room
from numpy.typing import NDArray

from depthrt import InputError
from depthrt.bench.datasets.hypersim_cameras import STANDARD
from depthrt.bench.datasets.pairs.scenes import Layout
from depthrt.bench.datasets.stored.stored_depth import StoredDepth, read_stored, stored_truth
from depthrt.bench.datasets.true_depth import (
    VKITTI2_SKY,
    TrueDepth,
    read_hypersim,
    read_true_depth,
    read_vkitti2,
)
from depthrt.engine.depth.write import to_codes, write_file, write_png16
from depthrt.engine.terms import Kind

SIZE_PX = (24, 32)
DEPTH_M = draw_room(*SIZE_PX).depth_m
NEW_M = 1.2345678
CHANGED, ERASED = (np.zeros(SIZE_PX, np.bool_) for _ in range(2))
CHANGED[4:9, 5:11], ERASED[15:18, 20:22] = True, True
FLOAT32, FLOAT16 = 3e-7, 1e-3  # relative: distance and depth are rounded once each
HALF_MM, HALF_CM, HALF_256TH = 0.0005 / NEW_M, 0.005 / NEW_M, 0.5 / 256 / NEW_M
FACTS = {"unit": "m", "model": "x", "max_depth_m": "nan", "provenance": "{}"}


def write_cv2(path: Path, values: NDArray[np.generic]) -> None:
    assert cv2.imwrite(str(path), np.asarray(values))


def write_hdf5(path: Path, dtype: type) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("dataset", data=distance_of(DEPTH_M).astype(dtype), compression="gzip")


def write_own(path: Path, kind: Kind = "metric") -> None:
    format_name = {".npz": "npz", ".pfm": "pfm", ".exr": "exr", ".tiff": "tiff"}[path.suffix]
    write_file(path, format_name, DEPTH_M, DEPTH_M > 0, {"kind": kind, **FACTS})  # type: ignore[arg-type]


def write_own_png(path: Path, kind: Kind) -> None:
    codes, facts = to_codes(DEPTH_M, DEPTH_M > 0, kind, (0.5, 9.0))
    write_png16(path, codes, {"kind": kind, **facts})


MAKERS: dict[
    str, tuple[str, Layout, float, float, Callable[[Path], object]]
] = {  # name: file, layout, units, tolerance
    "hypersim": ("f.depth_meters.hdf5", "hypersim", 1000, FLOAT32, lambda path: write_hdf5(path, np.float32)),
    "hypersim half": ("f.depth_meters.hdf5", "hypersim", 1000, FLOAT16, lambda path: write_hdf5(path, np.float16)),
    "vkitti2": ("a.png", "vkitti2", 1000, HALF_CM, lambda path: write_cv2(path, (DEPTH_M * 100).astype(np.uint16))),
    "kitti": ("a.png", "kitti", 256, HALF_256TH, lambda path: write_cv2(path, (DEPTH_M * 256).astype(np.uint16))),
    "png": ("a.png", "files", 1000, HALF_MM, lambda path: write_cv2(path, (DEPTH_M * 1000).astype(np.uint16))),
    "own png": ("a.png", "files", 1000, HALF_MM, lambda path: write_own_png(path, "metric")),
    "inverse png": ("a.png", "files", 1000, 1e-4, lambda path: write_own_png(path, "inverse")),
    "npy": ("a.npy", "files", 1000, FLOAT32, lambda path: np.save(path, DEPTH_M[None, ..., None])),
    "double npy": ("a.npy", "files", 1000, FLOAT32, lambda path: np.save(path, DEPTH_M.astype(np.float64))),
    "whole npy": ("a.npy", "files", 1000, HALF_MM, lambda path: np.save(path, (DEPTH_M * 1000).astype(np.uint16))),
    "npz": ("a.npz", "files", 1000, FLOAT32, lambda path: np.savez(path, depth=DEPTH_M, valid=DEPTH_M < 4)),
    "own npz": ("a.npz", "files", 1000, FLOAT32, write_own),
    "pfm": ("a.pfm", "files", 1000, FLOAT32, write_own),
    "exr": ("a.exr", "files", 1000, FLOAT32, write_own),
    "tiff": ("a.tiff", "files", 1000, FLOAT32, write_own),
    "inverse tiff": ("a.tiff", "files", 1000, FLOAT32, lambda path: write_own(path, "inverse")),
    "whole tiff": ("a.tiff", "files", 1000, HALF_MM, lambda path: write_cv2(path, (DEPTH_M * 1000).astype(np.uint16))),
}


def stored_of(path: Path, layout: Layout, units: float) -> StoredDepth:
    share = STANDARD.planar_share(path, SIZE_PX, "x") if layout == "hypersim" else None
    return read_stored(path, layout, units_per_m=units, planar_share=share)


def truth_of(path: Path, layout: Layout, units: float) -> TrueDepth:
    if layout == "hypersim":
        return read_hypersim(path, scene="x")
    return read_vkitti2(path) if layout == "vkitti2" else read_true_depth(path, units_per_m=units)


@pytest.mark.parametrize("case", MAKERS)
def test_an_edited_file_differs_in_the_edited_pixels_only(case: str, tmp_path: Path) -> None:
    name, layout, units, tolerance, make = MAKERS[case]
    path, copy = tmp_path / name, tmp_path / f"new.{name}"
    make(path)
    before, stored = truth_of(path, layout, units), stored_of(path, layout, units)
    raw = stored.edited(np.full(SIZE_PX, NEW_M), CHANGED, ERASED)
    stored.write(copy, raw, CHANGED, ERASED)
    after, again = truth_of(copy, layout, units), stored_of(copy, layout, units)
    untouched = ~CHANGED & ~ERASED
    assert again.raw.dtype == stored.raw.dtype and (again.raw[untouched] == stored.raw[untouched]).all()
    assert (after.values[untouched] == before.values[untouched]).all()
    assert (after.valid == (before.valid & ~ERASED | CHANGED)).all()
    assert after.kind == before.kind
    assert after.values[CHANGED] == pytest.approx(NEW_M, rel=tolerance)


def test_a_file_that_is_not_edited_keeps_its_values_and_shape(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", DEPTH_M[None])
    stored = stored_of(tmp_path / "a.npy", "files", 1000)
    nothing = np.zeros(SIZE_PX, np.bool_)
    stored.write(tmp_path / "b.npy", stored.edited(DEPTH_M.astype(np.float64), nothing, nothing), nothing, nothing)
    assert (tmp_path / "b.npy").read_bytes() == (tmp_path / "a.npy").read_bytes()


def test_what_does_not_fit_is_sky_or_unknown(tmp_path: Path) -> None:
    write_cv2(tmp_path / "a.png", np.full(SIZE_PX, 500, np.uint16))
    far = np.full(SIZE_PX, 700.0)
    far[4, 5] = np.inf
    for layout, beyond in (("vkitti2", VKITTI2_SKY), ("files", 0)):
        stored = read_stored(tmp_path / "a.png", layout, units_per_m=1000, planar_share=None)  # type: ignore[arg-type]
        assert (stored.edited(far, CHANGED, ERASED)[CHANGED] == beyond).all()
        assert (stored.edited(np.zeros(SIZE_PX), CHANGED, ERASED)[4, 6]) == 1, "never the code of unknown depth"


def test_depth_without_a_file_becomes_an_npy_file(tmp_path: Path) -> None:
    stored = stored_truth(TrueDepth(DEPTH_M, DEPTH_M < 4))
    stored.write(tmp_path / "a.npy", stored.raw, CHANGED, ERASED)
    assert (read_true_depth(tmp_path / "a.npy").valid == (DEPTH_M < 4)).all()


@pytest.mark.parametrize(
    ("name", "make", "words"),
    [
        ("a.npz", lambda path: np.savez(path, left=DEPTH_M, right=DEPTH_M), "expected one array named depth"),
        ("a.npy", lambda path: np.save(path, np.stack([DEPTH_M, DEPTH_M])), r"expected one map \(H, W\)"),
        ("a.jpg", lambda path: write_cv2(path, np.zeros((8, 8), np.uint8)), "suffix '.jpg' found"),
        (
            "a.png",
            lambda path: write_png16(
                path, np.ones(SIZE_PX, np.uint16), {"kind": "inverse", "scale": "0.0", "offset": "1.0"}
            ),
            "no room for another",
        ),
    ],
)
def test_what_cannot_be_written_back_is_refused(
    name: str, make: Callable[[Path], object], words: str, tmp_path: Path
) -> None:
    make(tmp_path / name)
    with pytest.raises(InputError, match=words):
        stored_of(tmp_path / name, "files", 1000)


def test_a_damaged_hypersim_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.hdf5").write_bytes(b"x")
    with pytest.raises(InputError, match="is not a depth file of Hypersim"):
        stored_of(tmp_path / "a.hdf5", "hypersim", 1000)
