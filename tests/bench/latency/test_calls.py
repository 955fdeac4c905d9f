"""The timed call of each scope."""

from __future__ import annotations

from pathlib import Path

import pytest
from planted_runner import PlantedRunner, Time, planted
from tiny_model import PHOTOS, TinyModel

from depthrt.bench.latency.calls import STAGES
from depthrt.bench.latency.turns import WINDOW, Rounds, measure_latency
from depthrt.bench.subjects.find_subjects import find_subjects
from depthrt.bench.subjects.subject import open_subject
from depthrt.engine.terms import TIMED_SCOPES

IMAGES = [PHOTOS / "coffee.jpg", PHOTOS / "astronaut.jpg"]
QUICK = Rounds(count=4, calls=2)


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
