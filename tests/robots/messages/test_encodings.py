"""Every encoding gives the picture that it holds; what is not a picture is refused by its name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from made_bags import image_message, picture
from numpy.typing import NDArray

from depthrt import InputError
from depthrt.engine.images.limits import Limits
from depthrt.robots.messages.encodings import ENCODINGS, to_bgr
from depthrt.robots.messages.types import Image

YUV_ROUNDING = 3  # of 255: brightness and colours are whole numbers of a smaller range
COLOUR = (30, 180, 240)  # B, G, R
BAYER = ("rggb", "bggr", "gbrg", "grbg")


def stored(bgr: NDArray[Any], encoding: str) -> NDArray[Any]:
    """Return the pixels of an encoding that hold a picture (H, W, 3); those with two bytes hold it times 257."""
    wide = bgr.astype(np.uint16) * 257 if encoding.endswith("16") else bgr
    order = encoding.rstrip("0123456789")
    if order.startswith("bayer_"):
        mosaic = np.empty(wide.shape[:2], wide.dtype)
        for place, letter in enumerate(order.removeprefix("bayer_")):
            row, column = divmod(place, 2)
            mosaic[row::2, column::2] = wide[row::2, column::2, "bgr".index(letter)]
        return mosaic
    if order == "mono":
        return wide[..., 0]
    alpha = np.full_like(wide[..., :1], 7)
    return np.concatenate([wide, alpha], axis=2)[..., ["bgra".index(letter) for letter in order]]


def yuv_of(bgr: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return a colour as video has it. Source: ITU-R BT.601, in whole numbers of 8 bits."""
    blue, green, red = (value / 255 for value in bgr)
    light = 0.299 * red + 0.587 * green + 0.114 * blue
    return round(16 + 219 * light), round(128 + 224 * (blue - light) / 1.772), round(128 + 224 * (red - light) / 1.402)


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize("bits", ["8", "16"])
@pytest.mark.parametrize("order", ["bgr", "rgb", "bgra", "rgba"])
def test_colours_in_any_order_are_exact(order: str, bits: str, padding: int) -> None:
    message = image_message(stored(picture(1), order + bits), order + bits, padding=padding)
    assert np.array_equal(to_bgr(message), picture(1))


@pytest.mark.parametrize("encoding", ["rgb16", "mono16", "bayer_grbg16"])
def test_big_endian_pixels_are_those_of_the_little_endian_ones(encoding: str) -> None:
    pixels = stored(picture(1), encoding) // 3
    big, little = (to_bgr(image_message(pixels, encoding, big_endian=big)) for big in (True, False))
    assert np.array_equal(big, little) and np.ptp(big) > 50


@pytest.mark.parametrize("encoding", ["mono8", "mono16", "8UC1"])
def test_gray_has_three_equal_channels(encoding: str) -> None:
    gray = np.repeat(picture(2)[..., :1], 3, axis=2)
    found = to_bgr(image_message(stored(gray, "mono16" if encoding == "mono16" else "mono8"), encoding, padding=3))
    assert np.array_equal(found, gray)


@pytest.mark.parametrize(("encoding", "like"), [("8UC3", "bgr8"), ("8UC4", "bgra8")])
def test_names_of_opencv_are_in_its_order_of_colours(encoding: str, like: str) -> None:
    assert np.array_equal(to_bgr(image_message(stored(picture(3), like), encoding)), picture(3))


@pytest.mark.parametrize("bits", ["8", "16"])
@pytest.mark.parametrize("pattern", BAYER)
def test_a_mosaic_of_a_colour_is_that_colour_everywhere(pattern: str, bits: str) -> None:
    bgr = np.broadcast_to(np.array(COLOUR, np.uint8), (8, 12, 3))
    found = to_bgr(image_message(stored(bgr, f"bayer_{pattern}{bits}"), f"bayer_{pattern}{bits}", padding=2))
    assert np.array_equal(found, bgr)


@pytest.mark.parametrize("encoding", ["uyvy", "yuv422", "yuyv", "yuv422_yuy2", "nv12", "nv21"])
def test_video_colours_are_those_of_bt_601(encoding: str) -> None:
    height, width = 8, 12
    y, u, v = yuv_of(COLOUR)
    pair = {"uyvy": (u, y, v, y), "yuv422": (u, y, v, y), "yuyv": (y, u, y, v), "yuv422_yuy2": (y, u, y, v)}
    if encoding in pair:
        pixels = np.tile(np.array(pair[encoding], np.uint8), (height, width // 2))
    else:
        colours = np.array((u, v) if encoding == "nv12" else (v, u), np.uint8)
        pixels = np.concatenate([np.full((height, width), y, np.uint8), np.tile(colours, (height // 2, width // 2))])
    found = to_bgr(image_message(pixels, encoding, height=height, width=width, padding=4))
    assert found.shape == (height, width, 3)
    assert np.abs(found.astype(int) - COLOUR).max() <= YUV_ROUNDING


@pytest.mark.parametrize("encoding", ["32FC1", "16UC1", "nv24", "8SC1", "jpeg", "", "\x1b[31m"])
def test_other_encodings_are_refused_by_name(encoding: str) -> None:
    message = image_message(np.zeros((4, 4), np.float32), encoding)
    with pytest.raises(InputError, match=r"found.*expected rgb, bgr.*--image") as error:
        to_bgr(message)
    assert repr(encoding) in str(error.value)
    assert ("is depth" in str(error.value)) == (encoding in ("32FC1", "16UC1"))


def short(message: Image, **fields: Any) -> Image:  # noqa: ANN401 (messages of any type)
    return Image(**{name: fields.get(name, getattr(message, name)) for name in message.__dataclass_fields__})


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (short(image_message(picture(0), "bgr8"), step=1), "step 1 and .* expected a step of 192 or more and 48 rows"),
        (short(image_message(picture(0), "bgr8"), data=np.zeros(10, np.uint8)), "10 bytes found"),
        (short(image_message(picture(0), "bgr8"), height=0), "0x64 px"),
        (image_message(np.zeros((4, 6), np.uint8), "yuyv", width=3), "width 3 px found .* even"),
        (image_message(np.zeros((6, 4), np.uint8), "nv12", height=3), "height 3 px found .* even"),
        (image_message(np.zeros((1, 90, 3), np.uint8), "bgr8"), "90 times"),
    ],
    ids=["step", "data", "empty", "odd width", "odd height", "aspect"],
)
def test_bytes_that_do_not_fit_are_refused(message: Image, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        to_bgr(message)


def test_a_size_over_the_limit_is_refused_before_its_pixels_are_touched() -> None:
    message = short(image_message(picture(0), "bgr8"), height=100_000, width=100_000, step=300_000)
    with pytest.raises(InputError, match="expected at most 1000000"):
        to_bgr(message, limits=Limits(max_pixels=1_000_000))


def test_every_encoding_is_tested_here() -> None:
    names = {f"{order}{bits}" for order in ("bgr", "rgb", "bgra", "rgba", "mono") for bits in (8, 16)}
    names |= {f"bayer_{pattern}{bits}" for pattern in BAYER for bits in (8, 16)}
    names |= {"8UC1", "8UC3", "8UC4", "uyvy", "yuv422", "yuyv", "yuv422_yuy2", "nv12", "nv21"}
    assert set(ENCODINGS) == names
