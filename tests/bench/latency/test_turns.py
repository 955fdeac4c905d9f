from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from made import make_contract
from numpy.typing import NDArray
from tiny_model import PHOTOS, TinyModel

from depthrt.bench.latency.calls import STAGES, Call, Laps
from depthrt.bench.latency.rate import FrameRate, feed_frames, measure_rate, rate_latency
from depthrt.bench.latency.throughput import CALLS_PER_STREAM, LOADS, Load, measure_builds, measure_throughput
from depthrt.bench.latency.turns import WINDOW, Rounds, is_steady, measure_latency, no_collection, take_turns, warm_up
from depthrt.bench.machine.cold_start import measure_cold_start
from depthrt.bench.numbers.result import Report
from depthrt.bench.numbers.statistics import compare_medians
from depthrt.bench.run.images import TIMED_IMAGES
from depthrt.bench.run.measurement import Measurement
from depthrt.bench.run.run_bench import run_bench
from depthrt.bench.subjects.find_subjects import find_subjects
from depthrt.bench.subjects.subject import Opened, Subject, open_subject
from depthrt.engine.errors import BackendUnavailable
from depthrt.engine.images.limits import Limits
from depthrt.engine.images.read import read_image
from depthrt.engine.images.write import write_image
from depthrt.engine.model.depth_model import DepthModel
from depthrt.engine.modelfile.contract import SizeRule
from depthrt.engine.terms import TIMED_SCOPES, Precision, TimedScope

IMAGES = [PHOTOS / "coffee.jpg", PHOTOS / "astronaut.jpg"]
QUICK = Rounds(count=4, calls=2)


class Time:
    """A clock that goes on only where somebody works."""

    def __init__(self) -> None:
        self.now_ns = 0
        self._lock = threading.Lock()

    def __call__(self) -> int:
        return self.now_ns

    def work(self, ms: float) -> None:
        with self._lock:
            self.now_ns += round(ms * 1e6)

    def pause(self, seconds: float) -> None:
        self.work(seconds * 1e3)


@dataclass
class PlantedRunner:
    """Answers zeros, and takes the time it is told to: to ask, and for the device to answer."""

    time: Time
    run_ms: Callable[[int], float] = lambda images: 50.0
    device_ms: float = 0.0
    closed: int = 0
    name = "planted"
    provider = "npu"
    precision: Precision = "fp32"
    notes: tuple[str, ...] = ()

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        self.time.work(self.run_ms(len(batch)))
        return np.zeros((len(batch), *batch.shape[2:]), np.float32)

    def synchronise(self) -> None:
        self.time.work(self.device_ms)

    def close(self) -> None:
        self.closed += 1


def planted(runner: PlantedRunner, name: str = "planted") -> Opened:
    contract = make_contract(size=SizeRule((28, 28), 14, "lower_bound"))
    return open_subject(Subject(name, lambda: DepthModel(runner, contract, limits=Limits())))


def one_lap(time: Time, work: Callable[[int], float]) -> Callable[[int], Laps]:
    """Return a call that takes work(number) ms."""

    def call(number: int) -> Laps:
        start = time()
        time.work(work(number))
        return (time() - start,)

    return call


def test_each_scope_holds_what_the_runner_takes_and_waits_for_its_device(tmp_path: Path) -> None:
    time = Time()
    opened = planted(PlantedRunner(time, device_ms=20.0))
    times = measure_latency([opened], IMAGES, tmp_path, QUICK, clock=time).found["planted"]
    assert [latency.scope for latency in times.latency] == list(TIMED_SCOPES)
    for latency in times.latency:  # reading, preparing and writing take no planted time
        assert latency.samples_ms == (70.0,) * 8
        assert latency.p50_ms.value == latency.p99_ms.value == latency.mean_ms.value == 70.0
        assert latency.steady and latency.warmup == len(IMAGES) + 2 * WINDOW
    assert times.stages_ms == {"decode": 0, "preprocess": 0, "run": 70, "postprocess": 0, "encode": 0}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0_depth16.png", "1_depth16.png"]


def test_a_real_models_stages_add_up_to_its_time_from_file_to_file(tiny: TinyModel, tmp_path: Path) -> None:
    (subject,) = find_subjects([tiny.onnx], devices=["cpu"], runners=["onnxruntime"], threads=1)
    with (opened := open_subject(subject)).model:
        times = measure_latency([opened], IMAGES[:1], tmp_path, Rounds(count=1, calls=1, warmup_calls=1)).found[
            subject.name
        ]
    assert tuple(times.stages_ms) == STAGES
    assert all(stage_ms > 0 for stage_ms in times.stages_ms.values())
    (sample_ms,) = times.latency[-1].samples_ms
    assert sum(times.stages_ms.values()) == pytest.approx(sample_ms)
    assert not times.latency[0].steady  # one call shows nothing


def test_every_subject_has_one_turn_in_each_round_in_changing_order() -> None:
    time, log = Time(), []

    def call(name: str) -> Callable[[int], Laps]:
        def work(number: int) -> Laps:
            log.append((name, number))
            time.work(1)
            return (1,)

        return work

    planned = Rounds(count=12, calls=3)
    turns = take_turns({name: {"host": call(name)} for name in "abc"}, planned, clock=time)
    in_rounds = log[3 * (1 + 2 * WINDOW) :]
    per_turn = 1 + planned.calls
    rounds = [in_rounds[at : at + 3 * per_turn] for at in range(0, len(in_rounds), 3 * per_turn)]
    orders = [tuple(name for name, _ in one[::per_turn]) for one in rounds]
    assert len(rounds) == 12 and all(sorted(order) == ["a", "b", "c"] for order in orders)
    assert len(set(orders)) > 3
    for number, one in enumerate(rounds):  # the first call of a turn does not count, then all take the same images
        for at in range(0, len(one), per_turn):
            assert [image for _, image in one[at : at + per_turn]] == [0, *range(3 * number, 3 * number + 3)]
    assert all(len(turns.series[name]["host"].laps) == 36 for name in "abc")


class Reading:
    """Reads every file as one small image, and counts."""

    def __init__(self) -> None:
        self.read: list[Path] = []

    def __call__(self, path: Path) -> NDArray[np.uint8]:
        self.read.append(path)
        return np.zeros((28, 28, 3), np.uint8)


def timed(
    folder: Path,
    images: int,
    *readings: Reading,
    rounds: Rounds = QUICK,
    scopes: tuple[TimedScope, ...] = ("kernel", "host"),
) -> Report:
    """Measure one subject for each way to read, over so many images, which come into the folder."""
    contract = make_contract(size=SizeRule((28, 28), 14, "lower_bound"))

    def open_one() -> DepthModel:
        return DepthModel(PlantedRunner(Time()), contract, limits=Limits())

    subjects = [Subject(f"subject {number}", open_one, read=read) for number, read in enumerate(readings)]
    paths = [folder / f"{number}.png" for number in range(images)]
    for path in paths:
        write_image(path, np.zeros((28, 28, 3), np.uint8))
    measurement = Measurement(
        replace(rounds, scopes=scopes),
        narrowing=None,
        frame_rate=FrameRate(rate_hz=1000, frames=10, bursts=2),
        loads=(),
        processes=0,
        energy=False,
    )
    return run_bench(subjects, paths, measurement).report


@pytest.mark.parametrize("images", [5, 50])
def test_times_hold_a_few_images_however_many_there_are(images: int, tmp_path: Path) -> None:
    own, shared = Reading(), Reading()
    report = timed(tmp_path, images, own, shared, shared)
    for reading in (own, shared):  # once for the turns and once for the frames, whoever else reads in the same way
        assert len(reading.read) == 2 * TIMED_IMAGES and len(set(reading.read)) == TIMED_IMAGES
    assert report.made.settings["times on"] == f"{TIMED_IMAGES} of {images} images"
    assert [len(one.latency) for one in report.subjects] == [3, 3, 3]


def test_warm_up_meets_no_image_that_is_never_timed(tmp_path: Path) -> None:
    reading = Reading()
    report = timed(tmp_path, 50, reading, rounds=Rounds(count=2, calls=1, warmup_calls=1), scopes=("file",))
    assert len(set(reading.read)) == 2 and report.made.settings["times on"] == "2 of 50 images"
    assert report.subjects[0].latency[0].warmup == 2 + 1


def test_a_slow_while_meets_all_subjects_alike() -> None:
    time = Time()

    def speed() -> float:  # half speed for a quarter of the time
        return 2.0 if time.now_ns // 1_000_000_000 % 4 == 3 else 1.0

    calls: dict[str, dict[TimedScope, Call]] = {
        "first": {"host": one_lap(time, lambda number: 100 * speed())},
        "second": {"host": one_lap(time, lambda number: 110 * speed())},
    }
    series = take_turns(calls, Rounds(), clock=time).series
    first, second = ([sum(laps) for laps in series[name]["host"].laps] for name in ("first", "second"))
    assert max(first) == 2 * min(first)
    assert compare_medians(first, second, per_round=Rounds().calls, paired=True).value == pytest.approx(1.1)


def test_warm_up_ends_when_two_windows_agree() -> None:
    time = Time()
    falling = iter([200.0, 160.0, 130.0, 120.0, 110.0, 108.0, 104.0, *[100.0] * 90])
    found = warm_up(one_lap(time, lambda number: next(falling)), Rounds(), clock=time)
    # Medians of five: 130 against 100 after ten calls; 108 against 100 two later; 104 is the fourth of them at last.
    assert found.steady and found.laps == []
    assert 2 * WINDOW < found.warmup <= 3 * WINDOW


def test_warm_up_that_never_ends_says_so() -> None:
    time = Time()
    numbers = iter(range(1000))
    unsteady = one_lap(time, lambda number: 100 * 1.1 ** next(numbers))
    by_calls = warm_up(unsteady, Rounds(warmup_calls=20), clock=time)
    assert (by_calls.steady, by_calls.warmup) == (False, 1 + 20)
    by_time = warm_up(one_lap(time, lambda number: 20_000), Rounds(warmup_s=60), clock=time)
    assert (by_time.steady, by_time.warmup) == (False, 1 + 2)  # the first counts too: three of 20 s


def test_warm_up_meets_every_image_first() -> None:
    time = Time()
    seen: list[int] = []

    def work(number: int) -> float:
        seen.append(number)
        return 1.0

    warm_up(one_lap(time, work), Rounds(), images=3, clock=time)
    assert seen[:3] == [0, 1, 2] and set(seen[3:]) == {0}


@pytest.mark.parametrize(
    ("times", "steady"),
    [
        ([100.0] * 10, True),
        ([100.0] * 9, False),
        ([104.0] * 5 + [100.0] * 5, False),
        ([102.0] * 5 + [100.0] * 5, True),
        ([100.0] * 5 + [104.0] * 5, False),
        ([500.0] * 20 + [100.0] * 10, True),
        ([100.0] * 5 + [100.0, 900.0, 100.0, 900.0, 100.0], True),
    ],
)
def test_steady_is_judged_by_the_last_two_windows(times: list[float], steady: bool) -> None:
    assert is_steady(times) is steady


@pytest.mark.parametrize("fails_at", [0, 5, 16])
def test_a_subject_that_fails_leaves_with_its_reason_and_the_others_go_on(fails_at: int) -> None:
    time = Time()
    numbers = iter(range(1000))

    def fail(number: int) -> float:
        if next(numbers) == fails_at:
            raise RuntimeError("out of\n memory")
        return 1.0

    calls: dict[str, dict[TimedScope, Call]] = {
        "bad": {"host": one_lap(time, fail)},
        "good": {"host": one_lap(time, lambda number: 1.0)},
    }
    turns = take_turns(calls, QUICK, clock=time)
    assert turns.failures == {"bad": "RuntimeError: out of memory"}
    assert list(turns.series) == ["good"] and len(turns.series["good"]["host"].laps) == 8


def test_an_image_that_cannot_be_read_is_the_failure_of_its_subject(tmp_path: Path) -> None:
    time = Time()
    found = measure_latency([planted(PlantedRunner(time))], [tmp_path / "none.jpg"], tmp_path, QUICK, clock=time)
    assert "none.jpg" in found.failures["planted"] and not found.found


def test_garbage_is_not_collected_inside_a_sample_and_is_afterwards() -> None:
    time = Time()
    seen: list[bool] = []

    def work(number: int) -> float:
        seen.append(gc.isenabled())
        return 1.0

    take_turns({"one": {"host": one_lap(time, work)}}, QUICK, clock=time)
    in_turns = seen[1 + 2 * WINDOW :]
    assert not any(in_turns[index] for index in range(len(in_turns)) if index % (1 + QUICK.calls))
    assert gc.isenabled()
    gc.disable()
    try:
        with no_collection():
            pass
        assert not gc.isenabled()  # as it was found
    finally:
        gc.enable()


def test_a_runner_that_cannot_say_when_its_device_is_done_gets_no_figure() -> None:
    runner = PlantedRunner(Time())
    runner.synchronise = None  # type: ignore[method-assign, assignment]
    with pytest.raises(BackendUnavailable, match=r"planted on npu cannot wait for its device, .*`synchronise`"):
        planted(runner)
    assert runner.closed == 1


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


def test_a_cold_start_is_measured_in_processes_of_its_own(tiny: TinyModel) -> None:
    (subject,) = find_subjects([tiny.onnx], devices=["cpu"], runners=["onnxruntime"], threads=1)
    found = measure_cold_start(subject, read_image(IMAGES[0]), processes=2).cold
    assert found.processes == 2
    assert min(found.process_ms, found.import_ms, found.load_ms, found.first_ms, found.second_ms) > 0
    assert found.import_ms > found.process_ms  # numpy, OpenCV and ONNX Runtime against a bare interpreter
    assert tiny.onnx.stat().st_size / 2**20 < found.peak_rss_mib < 4096
    assert len(found.each) == 2
    assert np.mean([one.load_ms for one in found.each]) == pytest.approx(found.load_ms)


def test_a_subject_that_fails_in_a_fresh_process_says_why(tmp_path: Path) -> None:
    (subject,) = find_subjects([tmp_path / "none.onnx"], devices=["cpu"], runners=["onnxruntime"])
    with pytest.raises(BackendUnavailable, match=r"fails in a fresh process: .*none\.onnx does not exist"):
        measure_cold_start(subject, np.zeros((28, 28, 3), np.uint8), processes=1)


def test_a_process_that_hangs_is_ended(tiny: TinyModel) -> None:
    (subject,) = find_subjects([tiny.onnx], devices=["cpu"], runners=["onnxruntime"])
    with pytest.raises(BackendUnavailable, match=r"no depth within 0\.01 s"):
        measure_cold_start(subject, np.zeros((28, 28, 3), np.uint8), timeout_s=0.01)
