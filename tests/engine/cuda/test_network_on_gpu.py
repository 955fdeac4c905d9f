"""The base class of runners on a GPU: what it passes on, and the order in which it closes."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from depthrt.engine.cuda.driver.gpu import Cuda
from depthrt.engine.cuda.host_batches import HostBatches
from depthrt.engine.cuda.network_on_gpu import NetworkOnGpu
from depthrt.engine.cuda.pipeline import DevicePipeline
from depthrt.engine.errors import BackendUnavailable, InputError

BATCH = np.zeros((2, 3, 14, 14), np.float32)


class Part:
    """A pipeline, batches or a GPU that notes its calls."""

    lost = ""

    def __init__(self, name: str, done: list[str], error: str = "") -> None:
        self.name, self.done, self.error = name, done, error

    def check_not_lost(self) -> None:
        if self.lost:
            raise BackendUnavailable(self.lost)

    def close(self) -> None:
        self.done.append(f"{self.name} closed")
        if self.error:
            raise BackendUnavailable(self.error)

    def free(self) -> None:
        self.done.append(f"{self.name} freed")

    def run_all(self, batch: np.ndarray) -> tuple[np.ndarray, ...]:
        self.done.append(f"{self.name} ran")
        return batch[:, 0], batch[:, 1]


class FakeRunner(NetworkOnGpu):
    """A runner of noted parts."""

    def __init__(self, *, single_images: bool = True, error: str = "") -> None:
        self.done: list[str] = []
        super().__init__(cast(Cuda, Part("gpu", self.done)))
        self._batches = cast(HostBatches, Part("batches", self.done))
        if single_images:
            self.pipeline = cast(DevicePipeline, Part("pipeline", self.done, error))


def test_a_runner_on_a_lost_gpu_refuses_and_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Part, "lost", "the GPU was lost")
    runner = FakeRunner()
    with pytest.raises(BackendUnavailable, match="the GPU was lost"):
        runner.run(BATCH)
    runner.close()
    assert runner.done == ["gpu closed"]


def test_batches_run_until_the_runner_is_closed() -> None:
    runner = FakeRunner()
    assert np.array_equal(runner.run(BATCH), BATCH[:, 0])
    assert np.array_equal(runner.run_with_sky(BATCH)[1], BATCH[:, 1])
    runner.free_batches()
    assert runner.done == ["batches ran", "batches ran", "batches freed"]
    runner.close()
    with pytest.raises(InputError, match=r"^this model is closed; load it again$"):
        runner.run(BATCH)
    assert runner.done.count("batches ran") == 2


def test_what_uses_the_gpu_is_closed_before_the_gpu_and_once() -> None:
    runner = FakeRunner()
    for _ in range(2):
        runner.close()
        assert runner.done == ["pipeline closed", "batches closed", "gpu closed"]


def test_a_runner_for_batches_has_no_pipeline() -> None:
    runner = FakeRunner(single_images=False)
    assert runner.pipeline is None
    runner.close()
    assert runner.done == ["batches closed", "gpu closed"]


def test_a_lost_gpu_is_closed_too() -> None:
    runner = FakeRunner(error="the GPU was lost")
    runner.close()
    assert runner.done[-1] == "gpu closed"
