"""Images a second in batches and streams, and the latency of each load of a model."""

from __future__ import annotations

import threading

import pytest
from made import make_contract
from planted_runner import PlantedRunner, Time, planted
from tiny_model import PHOTOS

from depthrt.bench.latency.throughput import (
    CALLS_PER_STREAM,
    LOADS,
    Load,
    load_once,
    measure_builds,
    measure_throughput,
)
from depthrt.bench.latency.turns import WINDOW, Rounds
from depthrt.bench.subjects.subject import Subject
from depthrt.engine.images.limits import Limits
from depthrt.engine.images.read import read_image
from depthrt.engine.model.depth_model import DepthModel
from depthrt.engine.modelfile.size_rule import SizeRule

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


@pytest.mark.parametrize("load", LOADS, ids=str)
def test_a_load_reports_the_images_that_the_runner_answered(load: Load) -> None:
    answered: list[int] = []
    opened = planted(PlantedRunner(Time(), run_ms=lambda images: answered.append(images) or 0.0))  # type: ignore[func-returns-value]
    assert load_once(opened, read_image(IMAGES[0]), load) == sum(answered)
    assert max(answered) == load.batch
    assert len(answered) == (1 if load.streams == 1 else load.streams * CALLS_PER_STREAM)


@pytest.mark.parametrize("load", [Load(batch=2), Load(streams=2)], ids=str)
def test_a_load_waits_for_the_device(load: Load) -> None:
    time = Time()
    opened = planted(PlantedRunner(time, run_ms=lambda images: 0.0, device_ms=30.0))
    load_once(opened, read_image(IMAGES[0]), load)
    assert time.now_ns >= 30e6


def test_the_figures_of_two_subjects_keep_the_order_of_the_loads() -> None:
    time = Time()
    subjects = [planted(PlantedRunner(time, run_ms=lambda images, ms=ms: ms), f"{ms} ms") for ms in (10.0, 20.0)]  # type: ignore[misc]
    loads = [Load(batch=4), Load(batch=1), Load(streams=2)]
    found = measure_throughput(subjects, read_image(IMAGES[0]), loads=loads, rounds=3, clock=time).found
    for name, rates in found.items():
        assert [(rate.batch, rate.streams) for rate in rates] == [(4, 1), (1, 1), (1, 2)]
        ms = float(name.split()[0])
        assert [rate.images_per_s.value for rate in rates] == pytest.approx([4000 / ms, 1000 / ms, 1000 / ms])


def test_a_load_that_fails_once_in_a_round_gets_no_figure() -> None:
    calls = iter(range(100))

    def run_ms(images: int) -> float:
        if next(calls) == 2:
            raise RuntimeError("out of memory")
        return 10.0

    opened = planted(PlantedRunner(Time(), run_ms=run_ms))
    loaded = measure_throughput([opened], read_image(IMAGES[0]), loads=[Load()], rounds=3)
    assert loaded.found == {"planted": ()}
    assert loaded.notes == {"planted": ("no throughput at batch 1, streams 1: RuntimeError: out of memory",)}
    assert next(calls) == 3  # not asked again in the third round


def test_a_build_is_closed_although_it_fails() -> None:
    runner = PlantedRunner(Time(), run_ms=lambda images: 1 / 0)
    contract = make_contract(size=SizeRule((28, 28), 14, "lower_bound"))
    subject = Subject("bad", lambda: DepthModel(runner, contract, limits=Limits()))
    with pytest.raises(ZeroDivisionError):
        measure_builds(subject, read_image(IMAGES[0]), builds=2, rounds=QUICK)
    assert runner.closed == 1


def test_the_time_of_a_build_is_the_median_of_the_calls_after_its_warm_up() -> None:
    time, calls = Time(), []

    def run_ms(images: int) -> float:
        calls.append(images)
        return 500.0 if len(calls) == 1 else 10.0

    runner = PlantedRunner(time, run_ms=run_ms)
    contract = make_contract(size=SizeRule((28, 28), 14, "lower_bound"))
    subject = Subject("built", lambda: DepthModel(runner, contract, limits=Limits()))
    rounds = Rounds(count=1, calls=1)
    assert measure_builds(subject, read_image(IMAGES[0]), builds=1, rounds=rounds, clock=time) == (10.0,)
    assert len(calls) == 1 + 2 * WINDOW + WINDOW  # fewer calls than a window would show chance
