"""What is wrong with an image decides the status, before its pixels are decoded."""

from __future__ import annotations

import numpy as np
import pytest
from made_image import crop_of_photo
from served import PHOTO

from depthrt.engine.images.limits import Limits
from depthrt.engine.images.write import encode_image
from depthrt.serve.decode.image import check_size, decode_image, shrink
from depthrt.serve.refusal import Refusal

LIMITS = Limits(max_pixels=10_000, max_aspect=8)


def test_a_whole_image_is_decoded() -> None:
    assert np.array_equal(decode_image(PHOTO, LIMITS), crop_of_photo())


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "no_image"),
        (b"hello", 415, "not_an_image"),
        (b"<html><script>alert(1)</script>", 415, "not_an_image"),
        (b"PK\x03\x04" + PHOTO, 415, "not_an_image"),
        (PHOTO[:8], 422, "damaged_image"),
        (PHOTO[: len(PHOTO) // 2], 422, "damaged_image"),
        (encode_image(np.zeros((200, 200, 3), np.uint8), ".png"), 413, "large_image"),
        (encode_image(np.zeros((10, 90, 3), np.uint8), ".png"), 422, "long_image"),
    ],
    ids=["empty", "text", "page", "archive", "head", "half", "large", "long"],
)
def test_a_bad_image_is_refused(data: bytes, status: int, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        decode_image(data, LIMITS)
    assert (caught.value.status, caught.value.code) == (status, code)
    assert "--" not in caught.value.message, "options of the program mean nothing to clients"


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_an_image_without_pixels_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(Refusal) as caught:
        check_size(size[0], size[1], LIMITS)
    assert caught.value.status == 422


@pytest.mark.parametrize("longest", range(32, 90, 7))
def test_an_image_within_the_limits_is_so_when_it_is_shrunk(longest: int) -> None:
    shrunk = shrink(np.zeros((100, 790, 3), np.uint8), longest)
    check_size(shrunk.shape[0], shrunk.shape[1], LIMITS)
    assert shrunk.shape[1] == longest


@pytest.mark.parametrize(("longest", "size"), [(None, (60, 90)), (90, (60, 90)), (45, (30, 45)), (1000, (60, 90))])
def test_shrinking_keeps_the_aspect_and_never_grows(longest: int | None, size: tuple[int, int]) -> None:
    assert shrink(crop_of_photo(), longest).shape[:2] == size
