"""Colours of a still region stay; a new scene, and what stays in the picture, get the whole range."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import pytest
from made_depth import make_depth
from made_video import moving_picture
from numpy.typing import NDArray

from depthrt.engine.depth.depth import Depth
from depthrt.engine.depth.write import to_codes
from depthrt.engine.run.video.frames import Frame
from depthrt.engine.run.video.steady_range import FIRST_FRAMES, CodeRange, Painted, Range, SteadyRange

H_PX, W_PX = 48, 64
STEADY = 1.5  # change of the colours of a still region over that of its depth
LEVELS = 255
STILL = np.s_[: H_PX // 2, : W_PX // 2]

Film = list[tuple[Depth, Frame]]


def filmed(
    things: Iterable[float], *, seed: int = 0, start_s: float = 0.0, scale: float = 1.0, rate: float = 10.0
) -> Film:
    """Return frames of one scene; `things` says the value of a disc in a corner in each of them, 0 for no disc."""
    noise = np.random.default_rng(seed)
    picture = np.asarray(cv2.resize(noise.integers(0, 255, (6, 8, 3), np.uint8), (W_PX, H_PX)), np.uint8)
    film: Film = []
    for number, thing in enumerate(things):
        values = np.tile(np.linspace(1, 2, W_PX, dtype=np.float32), (H_PX, 1))
        values += np.float32(0.01 * (number % 2))  # as networks let the depth of the rest move with the disc
        image = picture.copy()
        if thing:
            disc = np.asarray(cv2.circle(np.zeros((H_PX, W_PX), np.uint8), (50, 36), 8, 1, -1), np.bool_)
            values[disc], image[disc] = thing, 255
        film.append((make_depth(values * np.float32(scale), kind="inverse"), Frame(image, start_s + number / rate)))
    return film


def painted(film: Film, value_range: Range | None = None) -> list[Painted]:
    ranges = SteadyRange(value_range)
    found = [shown for depth, frame in film for shown in ranges.add(depth, frame)]
    return [*found, *ranges.rest()]


def still_change(shown: list[Painted]) -> float:
    """Return how much a still region's picture changes over the frames, over the change of its depth."""
    pictures = np.stack([each.depth.colorize(colormap="gray", value_range=each.value_range)[STILL] for each in shown])
    values = np.stack([each.depth.values[STILL] for each in shown])
    span = max(each.depth.values.max() for each in shown) - min(each.depth.values.min() for each in shown)
    in_picture = np.ptp(pictures[..., 0].astype(float), axis=0).mean() / LEVELS
    return float(in_picture / (np.ptp(values, axis=0).mean() / span))


@pytest.mark.parametrize("first", [0.0, 2.5])
@pytest.mark.parametrize("frames", [6, 200])
def test_a_thing_that_comes_and_goes_changes_no_colours_of_the_rest(first: float, frames: int) -> None:
    shown = painted(filmed([first if number % 2 else 2.5 - first for number in range(frames)]))
    assert still_change(shown) < STEADY
    assert [each.frame.time_s for each in shown] == [number / 10 for number in range(frames)]


def test_every_frame_between_its_own_extremes_would_flicker() -> None:
    film = filmed([0.0, 2.5] * 3)
    assert still_change([Painted(depth, frame, None) for depth, frame in film]) > 4 * STEADY


def test_a_thing_that_stays_is_inside_the_range_after_a_while_and_no_frame_jumps() -> None:
    shown = painted(filmed([0.0] * 20 + [4.0] * 200))
    tops = [each.value_range[1] for each in shown if each.value_range is not None]
    assert tops[0] < 2.1 and tops[-1] > 3.9
    assert max(np.diff(tops)) < 0.05


def test_a_thing_that_is_gone_is_forgotten() -> None:
    shown = painted(filmed([4.0] * 20 + [0.0] * 400))
    assert shown[20].value_range is not None and shown[20].value_range[1] > 3.9
    assert shown[-1].value_range is not None and shown[-1].value_range[1] < 2.2


@pytest.mark.parametrize("frames", [1, 7, 40])
def test_a_cut_begins_another_range(frames: int) -> None:
    later = filmed([0.0] * 20, seed=1, start_s=frames / 10, scale=5.0)
    shown = painted([*filmed([0.0] * frames), *later])
    assert len(shown) == frames + 20
    for each in shown[:frames]:
        assert each.value_range == pytest.approx((1, 2), abs=0.02)
    for each in shown[frames:]:
        assert each.value_range == pytest.approx((5, 10), abs=0.1)


def test_light_that_changes_is_no_cut() -> None:
    film = filmed([0.0] * 20) + filmed([0.0, 2.5] * 10, start_s=2.0)
    for _, frame in film[20::2]:
        frame.image[:] = frame.image // 2 + 90
    ranges = [each.value_range for each in painted(film)]
    assert max(range_[1] for range_ in ranges if range_) < 2.2


def test_a_picture_of_which_most_left_the_range_begins_another() -> None:
    film = filmed([0.0] * 20) + filmed([0.0] * 20, start_s=2.0, scale=5.0)  # the same picture, another depth
    assert painted(film)[25].value_range == pytest.approx((5, 10), abs=0.1)


def test_frames_seldom_and_frames_fast_follow_at_the_speed_of_the_clock_but_never_jump() -> None:
    seldom, fast = (
        painted(filmed([0.0] * 20 + [4.0] * 40, rate=rate))[25].value_range for rate in (0.1, 1000.0)
    )  # frames a second
    assert seldom is not None and fast is not None
    assert 2.1 < seldom[1] < 2.4 and fast[1] < 2.02


def test_a_range_that_is_given_is_the_range_of_each_frame_at_once() -> None:
    ranges = SteadyRange((0.0, 9.0))
    for depth, frame in filmed([0.0, 2.5]):
        (shown,) = ranges.add(depth, frame)
        assert shown.value_range == (0.0, 9.0)
    assert list(ranges.rest()) == []


def test_few_frames_are_held_and_fewer_large_ones() -> None:
    ranges = SteadyRange()
    film = filmed([0.0] * (FIRST_FRAMES + 1))
    assert [len(list(ranges.add(depth, frame))) for depth, frame in film] == [0] * (FIRST_FRAMES - 1) + [16, 1]
    large = make_depth(np.ones((3000, 4000), np.float32), kind="inverse")
    image = np.zeros((3000, 4000, 3), np.uint8)
    ranges, given = SteadyRange(), 0
    for number in range(3):
        given += len(list(ranges.add(large, Frame(image, number / 10))))
    assert given > 0


def test_frames_without_a_value_or_with_one_only_have_no_range_and_do_not_disturb() -> None:
    none = np.zeros((H_PX, W_PX), np.bool_)
    values = np.full((H_PX, W_PX), 7, np.float32)
    image = moving_picture(0, H_PX, W_PX)
    unknown = make_depth(values, kind="inverse", valid=none)
    (shown,) = painted([(unknown, Frame(image, 0.0))])
    assert shown.value_range is None
    (shown,) = painted([(make_depth(values, kind="inverse"), Frame(image, 0.0))])
    assert shown.value_range is None
    (first, frame) = filmed([0.0])[0]
    ranges = [each.value_range for each in painted([(first, frame), (unknown, Frame(frame.image, 0.1))])]
    assert ranges == [pytest.approx((1, 2), abs=0.02)] * 2


def test_codes_of_frames_keep_their_scale_and_clip_nothing() -> None:
    ranges = CodeRange()
    film = filmed([0.0, 2.3] * 5)
    found = [ranges.of(depth) for depth, _ in film]
    assert len(set(found)) == 1
    for depth, _ in film:
        assert depth.outside_png16(found[0]) == 0
    far = make_depth(np.linspace(1, 5, 64, dtype=np.float32).reshape(8, 8), kind="inverse")
    assert far.outside_png16(ranges.of(far)) == 0 and ranges.of(far) == ranges.of(film[0][0])


def test_codes_become_finer_when_the_scene_is_flat() -> None:
    ranges = CodeRange()
    ranges.of(make_depth(np.linspace(0, 1000, 64, dtype=np.float32).reshape(8, 8), kind="inverse"))
    flat = make_depth(np.linspace(1, 2, 64, dtype=np.float32).reshape(8, 8), kind="inverse")
    codes, _ = to_codes(flat.values, flat.valid, "inverse", ranges.of(flat))
    assert np.ptp(codes.astype(int)) > 1 << 12


@pytest.mark.parametrize("value", [0.0, 3e38])
def test_codes_of_equal_values_have_no_range(value: float) -> None:
    flat: NDArray[np.float32] = np.full((8, 8), value, np.float32)
    assert CodeRange().of(make_depth(flat, kind="inverse")) is None
    flat[0] = -3e38
    assert CodeRange().of(make_depth(flat, kind="inverse", valid=np.isfinite(flat))) is None
