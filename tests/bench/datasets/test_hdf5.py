"""HDF5 files are kept to themselves and to a size before anything is read."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from depthrt.bench.datasets.ground_truth import open_ground_truth
from depthrt.bench.datasets.hdf5 import find_array, import_h5py, open_hdf5, read_array
from depthrt.bench.datasets.true_depth import read_hypersim
from depthrt.engine.errors import BackendUnavailable, InputError
from depthrt.engine.images.limits import DEFAULT_LIMITS, Limits

SECRET = b"not depth at all" * 64  # 1 KiB of another file


def read(path: Path, limits: Limits = DEFAULT_LIMITS) -> NDArray[Any]:
    with open_hdf5(path) as file:
        return read_array(find_array(file, "dataset", path), limits, str(path))


def test_an_array_is_read_whole_or_by_index(tmp_path: Path) -> None:
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["dataset"] = values
    assert np.array_equal(read(tmp_path / "d.h5"), values)
    with open_hdf5(tmp_path / "d.h5") as file:
        assert np.array_equal(
            read_array(find_array(file, "dataset", tmp_path), DEFAULT_LIMITS, "d", index=1), values[1]
        )


@pytest.mark.parametrize("chunks", [(64, 64), (12_000, 12_000), None])
def test_a_small_file_that_asks_for_gigabytes_is_refused_before_it_gets_them(
    tmp_path: Path, chunks: tuple[int, int] | None
) -> None:
    path = tmp_path / "d.hdf5"
    with h5py.File(path, "w") as file:
        compression = None if chunks is None else "gzip"
        file.create_dataset("dataset", (12_000, 12_000), np.float64, chunks=chunks, compression=compression)
    assert path.stat().st_size < 20_000
    with pytest.raises(InputError, match=r"holds 12000x12000 values, .*expected at most 100000000; .*--max-pixels"):
        read_hypersim(path)


def test_a_block_that_is_far_larger_than_its_image_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file.create_dataset("dataset", (400, 1000, 1000), np.float32, chunks=(400, 1000, 1000), compression="gzip")
    with open_hdf5(tmp_path / "d.h5") as file, pytest.raises(InputError, match="a block of d holds 400x1000x1000"):
        read_array(find_array(file, "dataset", tmp_path), DEFAULT_LIMITS, "d", index=0)


def test_the_limit_can_be_raised_and_lowered(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["dataset"] = np.ones((10, 10))
    assert read(tmp_path / "d.h5", Limits(max_pixels=100)).shape == (10, 10)
    with pytest.raises(InputError, match="10x10 values"):
        read(tmp_path / "d.h5", Limits(max_pixels=99))


@pytest.mark.parametrize("way", ["external storage", "external link", "soft link", "virtual"])
def test_values_of_another_file_are_not_read(tmp_path: Path, way: str) -> None:
    secret, path = tmp_path / "secret", tmp_path / "d.hdf5"
    secret.write_bytes(SECRET)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["dataset"] = np.ones((16, 16), np.float32)
    with h5py.File(path, "w") as file:
        if way == "external storage":
            file.create_dataset("dataset", (16, 16), np.float32, external=[(str(secret), 0, len(SECRET))])
        elif way == "external link":
            file["dataset"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "dataset")
        elif way == "soft link":
            file["away"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/")
            file["dataset"] = h5py.SoftLink("/away/dataset")
        else:
            layout = h5py.VirtualLayout((16, 16), np.float32)
            layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "dataset", (16, 16))
            file.create_virtual_dataset("dataset", layout)
    with pytest.raises(InputError, match=r"(is a link to|lie in other files).*; copy them into it"):
        read_hypersim(path)


def test_nyu_s_arrays_are_held_to_the_same_rules(tmp_path: Path) -> None:
    path = tmp_path / "nyu.mat"
    with h5py.File(path, "w") as file:
        file.create_dataset("images", (2, 3, 9_000, 9_000), np.uint8, compression="gzip")
        file.create_dataset("depths", (2, 9_000, 9_000), np.float32, compression="gzip")
    with pytest.raises(InputError, match=r"images in .* holds 3x9000x9000 values"):
        next(iter(open_ground_truth(path)))
    with h5py.File(path, "w") as file:
        file["images"] = np.zeros((1, 3, 4, 4), np.uint8)
        file["depths"] = h5py.ExternalLink("other.h5", "depths")
    with pytest.raises(InputError, match=r"depths is a link to other\.h5:depths"):
        open_ground_truth(path)


@pytest.mark.parametrize(("images", "depths"), [(np.float32, np.float32), (np.uint8, np.uint16), (np.uint8, np.bool_)])
def test_nyu_s_numbers_have_their_types(tmp_path: Path, images: type[np.generic], depths: type[np.generic]) -> None:
    with h5py.File(tmp_path / "nyu.mat", "w") as file:
        file["images"], file["depths"] = np.zeros((1, 3, 4, 4), images), np.zeros((1, 4, 4), depths)
    with pytest.raises(InputError, match="expected uint8 and floats in metres"):
        open_ground_truth(tmp_path / "nyu.mat")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "d.hdf5")
    with pytest.raises(InputError, match="no regular file"):
        read_hypersim(tmp_path / "d.hdf5")


def test_text_and_groups_are_no_arrays(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "d.hdf5", "w") as file:
        file.create_group("dataset")
    with pytest.raises(InputError, match="no array dataset"):
        read_hypersim(tmp_path / "d.hdf5")
    with h5py.File(tmp_path / "e.hdf5", "w") as file:
        file["dataset"] = "text"
    with pytest.raises(InputError, match="expected real numbers"):
        read_hypersim(tmp_path / "e.hdf5")


def test_without_h5py_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert import_h5py() is h5py
    monkeypatch.setitem(sys.modules, "h5py", None)  # what makes Python say that it is missing
    with pytest.raises(BackendUnavailable, match=r"h5py is missing, .* pip install 'depthrt\[bench\]'"):
        import_h5py()
