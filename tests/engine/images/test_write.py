"""Written images are read back, and nothing is left of those that cannot be written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_image import Pixels, crop_of_photo, mean_levels
from PIL import Image
from refusal import refusal

from depthrt.engine.images.kinds import IMAGE_SUFFIXES
from depthrt.engine.images.write import WRITABLE_SUFFIXES, write_image

JPEG_LEVELS = 6.0  # mean difference that quality 95 stays well within on these 60x90 pixels


@pytest.fixture(scope="module")
def crop() -> Pixels:
    return crop_of_photo()


@pytest.mark.parametrize("suffix", WRITABLE_SUFFIXES)
def test_a_written_image_is_read_back(suffix: str, crop: Pixels, tmp_path: Path) -> None:
    write_image(tmp_path / f"out{suffix}", crop)
    found = np.asarray(Image.open(tmp_path / f"out{suffix}").convert("RGB"))[..., ::-1]
    if suffix in (".jpg", ".jpeg"):
        assert mean_levels(found, crop) < JPEG_LEVELS
    else:
        assert np.array_equal(found, crop)
    assert [path.name for path in tmp_path.iterdir()] == [f"out{suffix}"]
    assert suffix in IMAGE_SUFFIXES


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("a.gif", (2, 2, 3), "suffix '.gif' found, expected one of .jpg, .jpeg, .png"),
        ("a", (2, 2, 3), "suffix '' found"),
        ("a.png", (2, 2), "turn gray into colour"),
        ("a.webp", (2, 20_000, 3), ".webp cannot hold 2x20000 px (HxW); write .png"),
        ("a.jpg", (70_000, 2, 3), ".jpg cannot hold 70000x2 px"),
        ("nowhere/a.png", (2, 2, 3), "nowhere does not exist"),
    ],
)
def test_an_image_that_cannot_be_written_is_refused_and_leaves_nothing(
    name: str, shape: tuple[int, ...], message: str, tmp_path: Path
) -> None:
    assert message in refusal(lambda: write_image(tmp_path / name, np.zeros(shape, np.uint8)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".PNG", ".Jpeg"])
def test_a_suffix_in_capitals_is_the_same(suffix: str, crop: Pixels, tmp_path: Path) -> None:
    write_image(tmp_path / f"out{suffix}", crop)
    with Image.open(tmp_path / f"out{suffix}") as found:
        assert found.format == {".png": "PNG", ".jpeg": "JPEG"}[suffix.lower()]


def test_an_existing_file_is_replaced_by_a_whole_one_only(crop: Pixels, tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"before")
    refusal(lambda: write_image(path, np.zeros((2, 2), np.uint8)))
    assert path.read_bytes() == b"before"
    write_image(path, crop)
    assert np.array_equal(np.asarray(Image.open(path))[..., ::-1], crop)
