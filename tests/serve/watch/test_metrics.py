"""What happened stands in the metrics, by names that clients cannot make."""

from __future__ import annotations

import numpy as np
import pytest
from made_depth import make_depth

from depthrt.serve.infer.spread import spread_of
from depthrt.serve.infer.stages import Stages
from depthrt.serve.watch.metrics import Metrics

MODEL = {key: key for key in ("name", "network", "kind", "precision", "runner", "sha256")}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics([MODEL], queued=lambda: 3, held_bytes=lambda: 7, most_queued=34, replicas=lambda: 2)


def lines(metrics: Metrics) -> list[str]:
    return metrics.text().decode().splitlines()


def test_requests_and_refusals_are_counted(metrics: Metrics) -> None:
    stages = Stages()
    stages.add("run", 0.02)
    metrics.count_request("/infer", 200, 0.05, stages, None)
    metrics.count_request("/infer", 503, 0.001, Stages(), "queue_full")
    found = lines(metrics)
    assert 'depthrt_requests_total{route="/infer",status="200"} 1.0' in found
    assert 'depthrt_errors_total{code="queue_full"} 1.0' in found
    assert 'depthrt_stage_seconds_count{stage="run"} 1.0' in found
    assert 'depthrt_request_seconds_count{route="/infer"} 2.0' in found


def test_queue_memory_and_models_stand_there(metrics: Metrics) -> None:
    found = lines(metrics)
    assert {"depthrt_queue_jobs 3.0", "depthrt_queue_most_jobs 34.0", "depthrt_bodies_bytes 7.0"} <= set(found)
    assert "depthrt_replicas 2.0" in found
    assert any(line.startswith("depthrt_model_info{") and line.endswith(" 1.0") for line in found)


def test_the_range_of_depth_is_seen(metrics: Metrics) -> None:
    values = np.linspace(1, 3, 400 * 500, dtype=np.float32).reshape(400, 500)
    metrics.count_depth(spread_of("m", make_depth(values, kind="metric")))
    found = "\n".join(lines(metrics))
    middle = float(found.partition('depthrt_depth_sum{model="m",percentile="50"} ')[2].split()[0])
    assert middle == pytest.approx(2.0, abs=0.05)


def test_depth_without_a_valid_pixel_is_counted_as_such(metrics: Metrics) -> None:
    values = np.ones((4, 4), np.float32)
    metrics.count_depth(spread_of("m", make_depth(values, kind="metric", valid=np.zeros((4, 4), np.bool_))))
    assert 'depthrt_depth_valid_share_sum{model="m"} 0.0' in lines(metrics)
    assert not any(line.startswith("depthrt_depth_sum") for line in lines(metrics))
