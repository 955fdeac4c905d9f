"""The timed call of each scope."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from made import make_contract
from numpy.typing import NDArray
from planted_runner import PlantedRunner, Time, planted
from tiny_model import PHOTOS, TinyModel

from depthrt.bench.latency.calls import STAGES, Decoded, make_call
from depthrt.bench.latency.turns import WINDOW, Rounds, measure_latency
from depthrt.bench.subjects.find_subjects import find_subjects
from depthrt.bench.subjects.subject import Opened, Subject, open_subject
from depthrt.engine.depth.depth import Depth
from depthrt.engine.depth.intrinsics import Intrinsics
from depthrt.engine.errors import InputError
from depthrt.engine.images.limits import Limits
from depthrt.engine.images.preprocess import Color
from depthrt.engine.images.read import read_image
from depthrt.engine.images.write import write_image
from depthrt.engine.model.depth_model import DepthModel
from depthrt.engine.model.stages import Answer, Prepared
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.terms import TIMED_SCOPES, TimedScope

IMAGES = [PHOTOS / "coffee.jpg", PHOTOS / "astronaut.jpg"]
QUICK = Rounds(count=4, calls=2)
READ_MS, RUN_MS, DEVICE_MS = 7.0, 50.0, 20.0


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


def test_an_image_that_cannot_be_read_is_the_failure_of_its_subject(tmp_path: Path) -> None:
    time = Time()
    found = measure_latency([planted(PlantedRunner(time))], [tmp_path / "none.jpg"], tmp_path, QUICK, clock=time)
    assert "none.jpg" in found.failures["planted"] and not found.found


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Three images, each of one grey."""
    paths = [tmp_path / f"in{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        write_image(path, np.full((28, 28, 3), 80 * number, np.uint8))
    return paths


def opened_with(time: Time, read: Callable[[Path], NDArray[np.uint8]]) -> Opened:
    contract = make_contract(size=SizeRule((28, 28), 14, "lower_bound"))
    runner = PlantedRunner(time, lambda images: RUN_MS, DEVICE_MS)
    return open_subject(Subject("planted", lambda: DepthModel(runner, contract, limits=Limits()), read=read))


def slow_read(time: Time) -> Callable[[Path], NDArray[np.uint8]]:
    def read(path: Path) -> NDArray[np.uint8]:
        time.work(READ_MS)
        return read_image(path)

    return read


@pytest.mark.parametrize("scope", ["kernel", "host"])
def test_network_and_array_scopes_hold_the_run_and_no_decoding(
    scope: TimedScope, images: list[Path], tmp_path: Path
) -> None:
    time = Time()
    call = make_call(opened_with(time, slow_read(time)), images, tmp_path, scope, clock=time)
    assert call(0) == (round((RUN_MS + DEVICE_MS) * 1e6),)


def test_the_file_scope_has_a_lap_for_each_stage(images: list[Path], tmp_path: Path) -> None:
    time = Time()
    call = make_call(opened_with(time, slow_read(time)), images, tmp_path, "file", clock=time)
    laps = dict(zip(STAGES, call(0), strict=True))
    expected_ms = {"decode": READ_MS, "preprocess": 0, "run": RUN_MS + DEVICE_MS, "postprocess": 0, "encode": 0}
    assert laps == {stage: round(ms * 1e6) for stage, ms in expected_ms.items()}


PREPARE_MS, FINISH_MS = 11.0, 13.0


@pytest.mark.parametrize(
    ("scope", "expected_ms"),
    [
        ("kernel", (RUN_MS + DEVICE_MS,)),
        ("host", (PREPARE_MS + RUN_MS + FINISH_MS + DEVICE_MS,)),
        ("file", (READ_MS, PREPARE_MS, RUN_MS + DEVICE_MS, FINISH_MS, 0.0)),
    ],
)
def test_each_scope_holds_its_own_stages_and_no_others(
    scope: TimedScope, expected_ms: tuple[float, ...], images: list[Path], tmp_path: Path
) -> None:
    time = Time()

    class Working(DepthModel):
        """Takes planted times for its first and last stages."""

        def prepare(
            self,
            image: NDArray[np.uint8],
            *,
            color: Color = "bgr",
            focal_px: float | None = None,
            camera: Intrinsics | None = None,
        ) -> Prepared:
            time.work(PREPARE_MS)
            return super().prepare(image, color=color, focal_px=focal_px, camera=camera)

        def finish(self, answer: Answer) -> Depth:
            time.work(FINISH_MS)
            return super().finish(answer)

    contract = make_contract(size=SizeRule((28, 28), 14, "lower_bound"))
    runner = PlantedRunner(time, lambda images: RUN_MS, DEVICE_MS)
    opened = open_subject(Subject("w", lambda: Working(runner, contract, limits=Limits()), read=slow_read(time)))
    call = make_call(opened, images, tmp_path, scope, clock=time)
    assert call(0) == call(1) == tuple(round(ms * 1e6) for ms in expected_ms)


@pytest.mark.parametrize("scope", TIMED_SCOPES)
def test_calls_take_the_images_in_turn(scope: TimedScope, images: list[Path], tmp_path: Path) -> None:
    means: list[float] = []

    class Watching(PlantedRunner):
        def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
            means.append(float(batch.mean()))
            return super().run(batch)

    call = make_call(planted(Watching(Time())), images, tmp_path, scope)
    for number in range(6):
        call(number)
    assert means[:3] == sorted(set(means))  # darkest first
    assert means[3:] == means[:3]


@pytest.mark.parametrize("scope", ["kernel", "host"])
def test_an_unreadable_image_is_refused_before_anything_is_timed(scope: TimedScope, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.png"):
        make_call(planted(PlantedRunner(Time())), [tmp_path / "none.png"], tmp_path, scope)


def test_an_image_is_decoded_once_for_subjects_that_read_alike(images: list[Path]) -> None:
    read: list[Path] = []

    def reading(path: Path) -> NDArray[np.uint8]:
        read.append(path)
        return read_image(path)

    def other(path: Path) -> NDArray[np.uint8]:
        return reading(path)

    alike, too, different = (opened_with(Time(), reader).subject for reader in (reading, reading, other))
    decoded = Decoded()
    first = decoded.read(alike, images[0])
    assert decoded.read(too, images[0]) is first
    assert decoded.read(different, images[0]) is not first
    decoded.read(alike, images[1])
    assert read == [images[0], images[0], images[1]]
