"""Frames at a fixed rate: which are answered, how old their depth is, and which are missed."""

from __future__ import annotations

import numpy as np
import pytest
from planted_runner import PlantedRunner, Time, planted
from tiny_model import PHOTOS

from depthrt.bench.latency.rate import Burst, FrameRate, feed_frames, measure_rate, rate_latency
from depthrt.bench.subjects.subject import Opened, Subject
from depthrt.engine.model.depth_model import DepthModel

IMAGES = [PHOTOS / "coffee.jpg", PHOTOS / "astronaut.jpg"]


def test_frames_faster_than_the_camera_are_all_answered() -> None:
    time = Time()
    burst = feed_frames(lambda number: time.work(10), rate_hz=25, frames=6, clock=time, pause=time.pause)
    assert burst.latency_ms == pytest.approx([10] * 6)
    assert burst.gaps_ms == pytest.approx([40] * 5)
    assert burst.missed == 0


def test_of_frames_slower_than_the_camera_the_latest_wins() -> None:
    time, answered = Time(), []

    def answer(number: int) -> None:
        answered.append(number)
        time.work(70)

    burst = feed_frames(answer, rate_hz=25, frames=6, clock=time, pause=time.pause)
    # Frames come at 0, 40, 80, ... ms; answers are done at 70, 140, 210, 280.
    assert answered == [0, 1, 3, 5]
    assert burst.latency_ms == pytest.approx([70, 140 - 40, 210 - 120, 280 - 200])
    assert burst.gaps_ms == pytest.approx([70, 70, 70])
    assert burst.missed == 2


def test_bursts_become_one_latency() -> None:
    time = Time()
    takes_ms = iter([10.0, 10, 30, 10] * 2)
    bursts = [
        feed_frames(lambda number: time.work(next(takes_ms)), rate_hz=25, frames=4, clock=time, pause=time.pause)
        for _ in range(2)
    ]
    latency = rate_latency(bursts, 25)
    assert latency.samples_ms == pytest.approx([10, 10, 30, 10] * 2)
    assert (latency.scope, latency.rate_hz, latency.missed) == ("rate", 25, 0)
    assert latency.jitter_ms == pytest.approx(np.std([40, 60, 20] * 2))


def test_real_subjects_take_turns_at_the_camera(model: DepthModel) -> None:
    one = Opened(Subject("real", lambda: model), model, lambda: None)
    broken = planted(PlantedRunner(Time(), run_ms=lambda images: 1 / 0), "broken")
    answered = measure_rate([one, broken], IMAGES, FrameRate(rate_hz=50, frames=5, bursts=2))
    assert answered.failures == {"broken": "ZeroDivisionError: division by zero"}
    (latency,) = answered.found.values()
    assert len(latency.samples_ms) + (latency.missed or 0) == 10 and min(latency.samples_ms) > 0


@pytest.mark.parametrize("frames", [1, 2, 7])
@pytest.mark.parametrize("takes_ms", [1.0, 40.0, 100.0, 1000.0])
def test_every_frame_is_answered_or_missed_and_the_last_is_answered(frames: int, takes_ms: float) -> None:
    time, answered = Time(), []

    def answer(number: int) -> None:
        answered.append(number)
        time.work(takes_ms)

    burst = feed_frames(answer, rate_hz=25, frames=frames, clock=time, pause=time.pause)
    assert answered == sorted(set(answered))
    assert (answered[0], answered[-1]) == (0, frames - 1)
    assert len(burst.latency_ms) == len(answered) == frames - burst.missed
    assert len(burst.gaps_ms) == len(answered) - 1
    assert min(burst.latency_ms) >= takes_ms


def test_a_frame_that_waited_for_the_subject_is_late_by_the_wait() -> None:
    time = Time()
    takes_ms = iter([90.0, 10.0, 10.0, 10.0])
    burst = feed_frames(lambda number: time.work(next(takes_ms)), rate_hz=25, frames=4, clock=time, pause=time.pause)
    # At 90 ms frame 2, which came at 80, is the latest; frame 1 is missed, frame 3 comes at 120.
    assert burst.latency_ms == pytest.approx([90, 20, 10])
    assert burst.missed == 1


def test_missed_frames_of_all_bursts_are_added_up() -> None:
    latency = rate_latency([Burst((1.0, 2.0), (40.0,), 3), Burst((3.0,), (), 4)], 25)
    assert (latency.missed, latency.samples_ms, latency.warmup) == (7, (1.0, 2.0, 3.0), 2)
    assert latency.jitter_ms == 0


def test_bursts_without_two_answers_have_no_jitter() -> None:
    assert rate_latency([Burst((1.0,), (), 0)], 25).jitter_ms == 0


def test_a_subject_is_woken_before_a_burst_and_bursts_are_counted() -> None:
    calls: list[int] = []

    def run_ms(images: int) -> float:
        calls.append(images)
        return 0.0

    frame_rate = FrameRate(rate_hz=1000, frames=3, bursts=2)
    found = measure_rate([planted(PlantedRunner(Time(), run_ms=run_ms))], IMAGES, frame_rate).found["planted"]
    assert (found.scope, found.rate_hz, found.warmup) == ("rate", 1000, 2)
    assert len(found.samples_ms) + (found.missed or 0) == 6
    assert len(calls) == len(found.samples_ms) + 2  # one call before each burst does not count


def test_an_image_that_cannot_be_read_is_the_failure_of_its_subject() -> None:
    opened = planted(PlantedRunner(Time()))
    found = measure_rate([opened], [PHOTOS / "none.jpg"], FrameRate(rate_hz=1000, frames=2, bursts=2))
    assert "none.jpg" in found.failures["planted"] and not found.found
