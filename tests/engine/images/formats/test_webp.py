"""A WebP is refused for its pixels and not for what follows them."""

from __future__ import annotations

import numpy as np
import pytest
from made_image import Pixels, crop_of_photo, exif_of, packed
from PIL import Image
from refusal import refusal

from depthrt.engine.images.formats.webp import read_webp
from depthrt.engine.images.read import read_image


@pytest.fixture(scope="module")
def crop() -> Pixels:
    return crop_of_photo()


@pytest.mark.parametrize("bytes_short", [1, 8, 20, 26])
def test_records_behind_the_pixels_may_be_cut(crop: Pixels, bytes_short: int) -> None:
    data = packed(crop, "WEBP", lossless=True, exif=exif_of(1))
    assert data.rindex(b"EXIF") < len(data) - 26
    assert np.array_equal(read_image(data[:-bytes_short]), crop)


def test_a_size_in_the_header_that_is_too_large_does_no_harm_and_cut_pixels_do(crop: Pixels) -> None:
    data = packed(crop, "WEBP", lossless=True)
    larger = data[:4] + (len(data) + 500).to_bytes(4, "little") + data[8:]
    assert np.array_equal(read_image(larger), crop)
    for cut in (2, 60):
        assert "it is cut short" in refusal(lambda: read_image(data[:-cut]))  # noqa: B023 (called at once)


def test_the_header_tells_frames_and_alpha(crop: Pixels) -> None:
    second = Image.fromarray(255 - crop)
    moving = read_webp(packed(crop, "WEBP", lossless=True, save_all=True, append_images=[second]))
    assert moving.is_animated and moving.is_whole and (moving.height_px, moving.width_px) == (60, 90)
    picture = Image.fromarray(crop)
    picture.putalpha(10)
    assert read_webp(packed(np.asarray(picture)[..., [2, 1, 0, 3]], "WEBP", "RGBA", lossless=True)).is_whole
    with pytest.raises(ValueError, match="its first chunk is b'junk'"):
        read_webp(b"RIFF\0\0\0\0WEBPjunk")
