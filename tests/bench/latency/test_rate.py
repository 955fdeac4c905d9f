"""Frames at a fixed rate: which are answered, how old their depth is, and which are missed."""

from __future__ import annotations

import numpy as np
import pytest
from planted_runner import PlantedRunner, Time, planted
from tiny_model import PHOTOS

from depthrt.bench.latency.rate import FrameRate, feed_frames, measure_rate, rate_latency
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
