"""A picture and its depth show the same view: sides of one proportion, no unclear turn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from depth_datasets import put
from PIL import Image

from depthrt.bench.datasets.ground_truth import open_ground_truth
from depthrt.bench.datasets.same_view import check_same_view
from depthrt.engine.errors import InputError
from depthrt.engine.images.read import read_image

ORIENTATION = 274


def pair(folder: Path, picture_px: tuple[int, int], depth_px: tuple[int, int], orientation: int | None = None) -> Path:
    """Write a picture of a stored size (h, w), with an orientation, and depth of a size."""
    folder.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if orientation is not None:
        exif[ORIENTATION] = orientation
    Image.fromarray(np.zeros((*picture_px, 3), np.uint8)).save(folder / "a.jpg", exif=exif)
    put(folder / "a.npy", np.full(depth_px, 2, np.float32))
    return folder


@pytest.mark.parametrize(
    ("picture_px", "depth_px"),
    [((60, 80), (60, 80)), ((480, 640), (60, 80)), ((968, 1296), (480, 640)), ((37, 49), (5, 6)), ((3, 400), (1, 133))],
)
def test_depth_of_the_picture_s_proportion_is_taken(
    tmp_path: Path, picture_px: tuple[int, int], depth_px: tuple[int, int]
) -> None:
    check_same_view(pair(tmp_path, picture_px, depth_px) / "a.jpg", np.zeros((*picture_px, 3), np.uint8), depth_px)


@pytest.mark.parametrize(
    ("picture_px", "depth_px"), [((60, 80), (80, 60)), ((540, 960), (424, 512)), ((60, 80), (60, 60))]
)
def test_depth_of_another_proportion_is_left_out(
    tmp_path: Path, picture_px: tuple[int, int], depth_px: tuple[int, int]
) -> None:
    with pytest.raises(InputError, match="expected sides of one proportion; crop one of them"):
        next(iter(open_ground_truth(pair(tmp_path, picture_px, depth_px))))


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_a_turned_picture_needs_depth_that_is_turned_too(tmp_path: Path, orientation: int) -> None:
    upright = pair(tmp_path / "upright", (60, 80), (80, 60), orientation)
    (sample,) = open_ground_truth(upright)
    assert sample.image.shape[:2] == sample.truth.shape == (80, 60)
    with pytest.raises(InputError, match=f"turn the depth as the EXIF orientation {orientation} turns the picture"):
        next(iter(open_ground_truth(pair(tmp_path / "stored", (60, 80), (60, 80), orientation))))


@pytest.mark.parametrize(("orientation", "picture_px"), [(2, (60, 80)), (3, (60, 80)), (4, (60, 80)), (6, (60, 60))])
def test_a_turn_that_the_sides_do_not_show_is_refused(
    tmp_path: Path, orientation: int, picture_px: tuple[int, int]
) -> None:
    with pytest.raises(InputError, match="does not say whether it is turned too; save the picture upright"):
        next(iter(open_ground_truth(pair(tmp_path, picture_px, picture_px, orientation))))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_the_turn_of_every_format_is_seen(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    path = tmp_path / f"a{suffix}"
    Image.fromarray(np.zeros((60, 80, 3), np.uint8)).save(path, exif=exif)
    check_same_view(path, read_image(path), (80, 60))
    with pytest.raises(InputError, match="turn the depth as the EXIF orientation 6 turns the picture"):
        check_same_view(path, read_image(path), (60, 80))


@pytest.mark.parametrize("orientation", [None, 1, 0, 9])
def test_a_picture_without_a_turn_is_taken(tmp_path: Path, orientation: int | None) -> None:
    folder = pair(tmp_path, (60, 80), (60, 80), orientation)
    check_same_view(folder / "a.jpg", read_image(folder / "a.jpg"), (60, 80))


def test_depth_with_a_turn_in_its_file_is_refused(tmp_path: Path) -> None:
    pair(tmp_path, (60, 80), (60, 80))
    (tmp_path / "a.npy").unlink()
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    Image.fromarray(np.full((60, 80), 2000, np.uint16)).save(tmp_path / "a_depth.png", exif=exif)
    with pytest.raises(InputError, match="is turned by its EXIF orientation, expected depth without it"):
        open_ground_truth(tmp_path)
