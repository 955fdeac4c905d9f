"""Images a second in batches and streams, and the latency of each load of a model."""

from __future__ import annotations

import threading

import pytest
from made import make_contract
from planted_runner import PlantedRunner, Time, planted
from tiny_model import PHOTOS

from depthrt.bench.latency.throughput import CALLS_PER_STREAM, LOADS, Load, measure_builds, measure_throughput
from depthrt.bench.latency.turns import Rounds
from depthrt.bench.subjects.subject import Subject
from depthrt.engine.images.limits import Limits
from depthrt.engine.images.read import read_image
from depthrt.engine.model.depth_model import DepthModel
from depthrt.engine.modelfile.contract import SizeRule

IMAGES = [PHOTOS / "coffee.jpg", PHOTOS / "astronaut.jpg"]
QUICK = Rounds(count=4, calls=2)


def test_throughput_counts_images_of_batches_and_streams() -> None:
    time = Time()
    opened = planted(PlantedRunner(time, run_ms=lambda images: 10 + 5 * images))
    loaded = measure_throughput([opened], read_image(IMAGES[0]), rounds=2, clock=time)
    rates = {(one.batch, one.streams): one.images_per_s.value for one in loaded.found["planted"]}
    single = 1000 / 15  # one runner works for all streams, one image after the other
    assert rates == pytest.approx(
        {(1, 1): single, (2, 1): 100, (4, 1): 4000 / 30, (8, 1): 8000 / 50, (1, 2): single, (1, 4): single}
    )
    assert not loaded.failures and not loaded.notes


def test_a_load_that_does_not_fit_is_left_out_with_its_reason() -> None:
    time = Time()

    def run_ms(images: int) -> float:
        if images > 4:
            raise MemoryError("too large")
        return 10.0

    loaded = measure_throughput(
        [planted(PlantedRunner(time, run_ms=run_ms))], read_image(IMAGES[0]), rounds=1, clock=time
    )
    assert loaded.notes == {"planted": ("no throughput at batch 8, streams 1: MemoryError: too large",)}
    assert [(one.batch, one.streams) for one in loaded.found["planted"]] == [
        (load.batch, load.streams) for load in LOADS if load.batch <= 4
    ]


def test_an_error_in_a_stream_is_not_lost() -> None:
    opened = planted(PlantedRunner(Time(), run_ms=lambda images: 1 / 0))
    loaded = measure_throughput([opened], read_image(IMAGES[0]), loads=[Load(streams=2)], rounds=1)
    assert loaded.found == {"planted": ()} and loaded.notes == {
        "planted": ("no throughput at batch 1, streams 2: ZeroDivisionError: division by zero",)
    }


def test_streams_run_at_the_same_time() -> None:
    together = threading.Barrier(2, timeout=10)
    opened = planted(PlantedRunner(Time(), run_ms=lambda images: 0.0 * together.wait()))
    loaded = measure_throughput([opened], read_image(IMAGES[0]), loads=[Load(streams=2)], rounds=1)
    assert not loaded.notes and CALLS_PER_STREAM > 0


def test_builds_load_anew_and_close_again() -> None:
    time = Time()
    runners: list[PlantedRunner] = []

    def build() -> DepthModel:
        takes_ms = 10.0 * (len(runners) + 1)
        runners.append(PlantedRunner(time, run_ms=lambda images: takes_ms))
        return DepthModel(runners[-1], make_contract(size=SizeRule((28, 28), 14, "lower_bound")), limits=Limits())

    found = measure_builds(Subject("built", build), read_image(IMAGES[0]), builds=3, rounds=QUICK, clock=time)
    assert found == (10, 20, 30)
    assert [runner.closed for runner in runners] == [1, 1, 1]
