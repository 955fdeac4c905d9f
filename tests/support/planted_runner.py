"""A clock that goes on only while somebody works, and a runner that takes planned times on it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from made import make_contract
from numpy.typing import NDArray

from depthrt.bench.latency.calls import Laps
from depthrt.bench.subjects.subject import Opened, Subject, open_subject
from depthrt.engine.images.limits import Limits
from depthrt.engine.model.depth_model import DepthModel
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.terms import Precision


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
