"""Picture leak: 1 for a model that answers the picture's own depth, 0 for a plane."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from judged_rooms import MIRROR, SIZE_PX, brightness, flat, inside, room_inverse, room_sample, room_view
from numpy.typing import NDArray

from depthrt.finetune.evaluation.figures.parts import find_parts
from depthrt.finetune.evaluation.figures.picture_leak import LEAST_SIDE_PX, MOST_ASPECT, largest_rectangle, picture_leak

OWN_EDGE = 0.02  # of the correlation: the blur mixes the wall into the picture's edge
EVERYWHERE = np.ones(SIZE_PX, np.bool_)


def test_a_model_that_answers_the_picture_s_own_depth_leaks_all_of_it() -> None:
    sample, view = room_sample(), room_view()
    for part in view.flat:
        found = picture_leak(brightness(sample.image), sample.image, part, "inverse", brightness)
        assert found == pytest.approx(1, abs=OWN_EDGE)
        opposite = picture_leak(-brightness(sample.image), sample.image, part, "inverse", brightness)
        assert opposite == pytest.approx(-1, abs=OWN_EDGE)


def test_a_model_that_answers_metres_is_judged_by_inverse_depth() -> None:
    sample, view = room_sample(), room_view()

    def metres(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(1 / brightness(image), np.float32)

    found = picture_leak(metres(sample.image), sample.image, view.flat[0], "metric", metres)
    assert found == pytest.approx(1, abs=OWN_EDGE)


@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_a_plane_leaks_nothing_however_it_is_tilted(tilt: float) -> None:
    sample, view = room_sample(tilt=tilt), room_view(tilt=tilt)
    plane = room_inverse(tilt=tilt).astype(np.float32)
    assert [picture_leak(plane, sample.image, part, "inverse", brightness) for part in view.flat] == [0.0, 0.0]


def test_noise_leaks_little() -> None:
    sample, view = room_sample(), room_view()
    noise = np.random.default_rng(0).normal(1, 0.1, SIZE_PX).astype(np.float32)
    found = picture_leak(noise, sample.image, view.flat[0], "inverse", brightness)
    assert found is not None and abs(found) < 0.15


def test_a_picture_that_the_model_finds_flat_or_that_is_small_is_not_judged() -> None:
    sample, view = room_sample(), room_view()
    assert picture_leak(brightness(sample.image), sample.image, view.flat[0], "inverse", flat) is None
    (small,) = find_parts({"art": inside(np.s_[10 : 10 + LEAST_SIDE_PX - 1, 10:60])}, EVERYWHERE, 1)
    assert picture_leak(brightness(sample.image), sample.image, small, "inverse", brightness) is None


def test_the_picture_by_itself_is_cut_out_of_the_image_s_own_pixels() -> None:
    sample, view = room_sample(), room_view()
    large = np.repeat(np.repeat(sample.image, 2, 0), 2, 1)
    seen: list[NDArray[np.uint8]] = []

    def answer(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        seen.append(image)
        return brightness(image)

    picture_leak(brightness(sample.image), large, view.flat[0], "inverse", answer)
    assert np.array_equal(seen[0], large[40:100, 24:104])


def test_the_largest_rectangle_lies_inside_the_part() -> None:
    (whole,) = find_parts({"mirror": inside(MIRROR)}, EVERYWHERE, 1)
    assert largest_rectangle(whole) == (20, 12, 30, 40)
    disc = np.zeros((300, 400), np.uint8)
    cv2.circle(disc, (200, 150), 100, 1, -1)  # (x, y) for OpenCV
    (round_,) = find_parts({"art": disc.astype(bool)}, np.ones(disc.shape, np.bool_), 3)
    top, left, height, width = largest_rectangle(round_)
    assert round_.mask[top : top + height, left : left + width].all()
    assert height * width > 0.9 * 2 * 100**2  # the inscribed square has 2 r^2


def test_of_a_long_strip_the_middle_is_taken() -> None:
    (strip,) = find_parts({"art": inside(np.s_[40:58, 4:124])}, EVERYWHERE, 1)
    top, left, height, width = largest_rectangle(strip)
    assert (top, height, width) == (40, 18, MOST_ASPECT * 18) and abs(2 * left + width - 128) <= 1
