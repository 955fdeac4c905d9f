"""Arrays are checked by their header, before their values are allocated."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from depthrt.engine.depth.arrays import read_npy_array, read_npz_arrays
from depthrt.engine.errors import InputError
from depthrt.engine.images.limits import DEFAULT_LIMITS, Limits

HUGE = (300_000, 300_000)  # 720 GB of float64


def header(shape: tuple[int, ...], dtype: str = "<f8") -> bytes:
    """Return the header of an .npy file without its values."""
    text = repr({"descr": dtype, "fortran_order": False, "shape": shape}).ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def test_a_header_that_asks_for_gigabytes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(header(HUGE))
    with pytest.raises(InputError, match=r"holds 300000x300000 values, 90000000000 in all, expected at most 100000000"):
        read_npy_array(tmp_path / "a.npy", DEFAULT_LIMITS)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("values.npy", header(HUGE))
    with pytest.raises(InputError, match=r"values in .* holds 300000x300000 values"):
        read_npz_arrays(tmp_path / "a.npz", DEFAULT_LIMITS)


@pytest.mark.parametrize("dtype", ["<c16", "<f16", "<U99999999", "|O", "<M8[s]"])
def test_other_things_than_real_numbers_are_refused(tmp_path: Path, dtype: str) -> None:
    (tmp_path / "a.npy").write_bytes(header((1,), dtype))
    with pytest.raises(InputError, match="expected real numbers"):
        read_npy_array(tmp_path / "a.npy", DEFAULT_LIMITS)


def test_the_limit_can_be_raised_and_lowered(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((10, 10)))
    assert read_npy_array(tmp_path / "a.npy", Limits(max_pixels=100)).shape == (10, 10)
    with pytest.raises(InputError, match=r"10x10 values.*or raise max_pixels \(--max-pixels\)"):
        read_npy_array(tmp_path / "a.npy", Limits(max_pixels=99))


def test_only_the_arrays_that_are_wanted_are_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", depth=np.ones(3), text=np.array("abc"), other=np.ones(9))
    assert read_npz_arrays(tmp_path / "a.npz", Limits(max_pixels=3), {"depth", "text"}).keys() == {"depth", "text"}


def test_text_in_a_record_has_a_limit(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("kind.npy", header((), "<U99999999"))
    with pytest.raises(InputError, match="expected real numbers"):
        read_npz_arrays(tmp_path / "a.npz", DEFAULT_LIMITS)


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_both_versions_of_the_header_are_read(tmp_path: Path, version: tuple[int, int]) -> None:
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, np.arange(6.0).reshape(2, 3), version=version)
    assert read_npy_array(tmp_path / "a.npy", DEFAULT_LIMITS).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x03\x00" + bytes(200))
    with pytest.raises(InputError, match=r"format \(3, 0\), expected 1\.0 or 2\.0"):
        read_npy_array(tmp_path / "a.npy", DEFAULT_LIMITS)


@pytest.mark.parametrize("text", ["{'descr': (", "{'descr': '<f4'", "{" * 200, "{'descr': 1j}", '"""'])
def test_a_damaged_header_is_a_value_error_whatever_numpy_says(tmp_path: Path, text: str) -> None:
    header = text.encode().ljust(118)
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(24))
    with pytest.raises(ValueError, match=r"[Hh]eader"):
        read_npy_array(tmp_path / "a.npy", DEFAULT_LIMITS)
