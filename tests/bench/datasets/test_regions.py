"""Region masks come back bit by bit, and what is no mask of its depth is refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from depth_datasets import SIZE_PX, photo, put
from numpy.typing import NDArray

from depthrt.bench.datasets.regions import REGIONS, join_regions, read_region, read_regions, region, write_regions
from depthrt.bench.datasets.same_view import OtherView
from depthrt.engine.errors import InputError


def parts() -> dict[str, NDArray[np.bool_]]:
    random = np.random.default_rng(3)
    return {name: random.random(SIZE_PX) < 0.3 for name in REGIONS}


def test_regions_that_overlap_come_back(tmp_path: Path) -> None:
    write_regions(tmp_path / "a.png", join_regions(parts()))
    found = read_regions(tmp_path / "a.png", SIZE_PX)
    assert found.dtype == np.uint8 and found.shape == SIZE_PX
    for name, pixels in parts().items():
        assert np.array_equal(region(found, name), pixels)


def test_the_bits_stand_for_mirror_art_window_and_sky_in_this_order() -> None:
    one = np.ones((1, 1), np.bool_)
    assert {name: int(join_regions({name: one})[0, 0]) for name in REGIONS} == {
        "mirror": 1,
        "art": 2,
        "window": 4,
        "sky": 8,
    }


def write_bytes(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def cut(path: Path) -> Path:
    write_regions(path, join_regions(parts()))
    return write_bytes(path, path.read_bytes()[:-40])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path, "does not exist, expected a region mask; check the path"),
        (lambda path: write_bytes(path, b""), r"is no region mask \(.*\), expected an 8-bit PNG of one channel"),
        (lambda path: write_bytes(path, b"\xff\xd8\xff" * 20), "is no region mask"),
        (cut, r"is no region mask \(its chunk .* is cut short"),
        (lambda path: put(path, photo()), r"is no region mask \(\(24, 32, 3\) uint8\)"),
        (lambda path: put(path, np.zeros(SIZE_PX, np.uint16)), r"is no region mask \(\(24, 32\) uint16\)"),
        (lambda path: path.mkdir(), "is a folder"),
    ],
    ids=["missing", "empty", "other", "cut", "colour", "16 bits", "folder"],
)
def test_what_is_no_mask_is_refused(tmp_path: Path, make: Callable[[Path], object], message: str) -> None:
    make(tmp_path / "a.png")
    with pytest.raises(InputError, match=message) as caught:
        read_regions(tmp_path / "a.png", SIZE_PX)
    assert "\n" not in str(caught.value)


def test_a_mask_of_another_size_shows_another_view(tmp_path: Path) -> None:
    write_regions(tmp_path / "a.png", np.zeros((4, 5), np.uint8))
    with pytest.raises(OtherView, match=r"is 4x5 px, its depth 24x32 \(HxW\), expected one size"):
        read_regions(tmp_path / "a.png", SIZE_PX)


def test_a_mask_of_255_is_told_which_bits_stand_for_what(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full(SIZE_PX, 255, np.uint8))
    with pytest.raises(InputError, match="holds 255, expected sums of 1 mirror, 2 art, 4 window, 8 sky"):
        read_regions(tmp_path / "a.png", SIZE_PX)


@pytest.mark.parametrize(
    "mask",
    [
        np.full((2, 3), 16, np.uint8),
        np.zeros((2, 3), np.int64),
        np.zeros((2, 3, 1), np.uint8),
        np.zeros((0, 3), np.uint8),
    ],
)
def test_only_bits_of_regions_are_written(tmp_path: Path, mask: NDArray[np.uint8]) -> None:
    with pytest.raises(InputError, match=r"expected \(H, W\) uint8, sums of 1 mirror"):
        write_regions(tmp_path / "a.png", mask)
    assert list(tmp_path.iterdir()) == []


def test_a_mask_of_two_values_shows_one_region(tmp_path: Path) -> None:
    inside = parts()["art"]
    for name, values in (("a.png", inside.astype(np.uint8) * 255), ("a.npy", inside)):
        write_mask(tmp_path / name, values)
        found = read_region(tmp_path / name, "art", SIZE_PX)
        assert np.array_equal(found, read_region(tmp_path / name, "art"))
        assert np.array_equal(region(found, "art"), inside) and int(found.max()) == 2
    with pytest.raises(OtherView, match=r"mask .*a\.npy is \(24, 32\), its depth \(4, 5\), expected one shape"):
        read_region(tmp_path / "a.npy", "art", (4, 5))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: write_bytes(path, b"x"), "mask .* cannot be read"),
        (lambda path: write_mask(path, np.arange(12, dtype=np.uint8).reshape(3, 4)), "expected 0 and one other value"),
        (lambda path: path, "cannot be read"),
    ],
    ids=["damaged", "many values", "missing"],
)
def test_what_shows_no_region_is_refused(tmp_path: Path, make: Callable[[Path], object], message: str) -> None:
    make(tmp_path / "a.png")
    with pytest.raises(InputError, match=message):
        read_region(tmp_path / "a.png", "art")


def write_mask(path: Path, values: NDArray[np.uint8] | NDArray[np.bool_]) -> None:
    if path.suffix == ".npy":
        np.save(path, values)
    else:
        cv2.imwrite(str(path), values.astype(np.uint8))


def test_an_unknown_region_is_refused() -> None:
    message = "region 'door' found, expected one of mirror, art, window, sky"
    with pytest.raises(InputError, match=message):
        region(np.zeros((1, 1), np.uint8), "door")
    with pytest.raises(InputError, match=message):
        join_regions({"door": np.ones((1, 1), np.bool_)})
