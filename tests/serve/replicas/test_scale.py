"""The number of replicas becomes the options of Ray Serve."""

from __future__ import annotations

from pathlib import Path

import pytest
from refusal import refusal

from depthrt.engine.system.cores import usable_cores
from depthrt.serve.replicas.scale import Scale, deployment_options, settings_of_replica
from depthrt.serve.settings import Settings


@pytest.mark.parametrize(("least", "most"), [(0, 2), (3, 2), (-1, -1)])
def test_a_range_that_holds_no_replica_is_refused(least: int, most: int) -> None:
    assert "expected 1 <= MIN <= MAX" in refusal(lambda: Scale(least, most))


def test_a_replica_gets_paths_that_hold_elsewhere_its_share_of_cores_and_no_key() -> None:
    settings = Settings(models={"a": "a.onnx", "default": "default"}, api_key="0123456789abcdef")
    found = settings_of_replica(settings, Scale(1, 10_000))
    assert found.models == {"a": Path("a.onnx").resolve(), "default": "default"}
    assert (found.threads, found.api_key) == (1, None)
    assert settings_of_replica(settings, Scale(1, 1)).threads == usable_cores()
    assert settings_of_replica(Settings(threads=3), Scale(1, 9)).threads == 3


def test_ray_holds_no_more_jobs_than_replicas_do_at_once() -> None:
    options = deployment_options(Settings(workers=3, threads=2), Scale(2, 2))
    assert (options["num_replicas"], options["max_ongoing_requests"]) == (2, 3)
    assert options["ray_actor_options"] == {"num_cpus": 2, "num_gpus": 0} and "autoscaling_config" not in options


def test_a_range_scales_with_the_load() -> None:
    options = deployment_options(Settings(workers=3, threads=2, device="cuda"), Scale(1, 4))
    scaling = options["autoscaling_config"]
    assert (scaling["min_replicas"], scaling["max_replicas"], scaling["target_ongoing_requests"]) == (1, 4, 3)
    assert "num_replicas" not in options and options["ray_actor_options"]["num_gpus"] == 1
