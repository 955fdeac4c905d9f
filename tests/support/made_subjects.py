"""Subjects whose runner answers what it is told to, and data sets of made depth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from made import make_contract
from numpy.typing import NDArray

from depthrt.bench.datasets.ground_truth import GroundTruth, Pair
from depthrt.bench.datasets.true_depth import Sample, TrueDepth
from depthrt.bench.run.measurement import Measurement
from depthrt.bench.subjects.subject import Opened, Subject, open_subject
from depthrt.engine.errors import InputError
from depthrt.engine.images.limits import Limits
from depthrt.engine.images.write import write_image
from depthrt.engine.model.depth_model import DepthModel
from depthrt.engine.modelfile.size_rule import SizeRule
from depthrt.engine.terms import Kind, Precision

SIDE_PX = 28
ANSWERS_ALONE = Measurement(None, frame_rate=None, loads=(), processes=0, energy=False)

Answer = Callable[[int], NDArray[np.float32]]  # takes the number of the call, gives (h, w) float32


class MadeRunner:
    """Answers what it is told to."""

    name, provider = "made", "cpu"
    notes: tuple[str, ...] = ()

    def __init__(self, answer: Answer, precision: Precision = "fp32") -> None:
        self.answer = answer
        self.precision: Precision = precision
        self.calls = 0

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        self.calls += 1
        return self.answer(self.calls)[None]

    def close(self) -> None:
        """Hold nothing."""


def slope(offset: float = 0.0) -> Answer:
    """Answer a slope from 1 to 2, off by a planted amount."""
    values = np.linspace(1, 2, SIDE_PX * SIDE_PX, dtype=np.float32).reshape(SIDE_PX, SIDE_PX)
    values[:7, :7] += np.float32(offset)
    return lambda call: values


def fails_at(number: int) -> Answer:
    def answer(call: int) -> NDArray[np.float32]:
        if call >= number:
            raise RuntimeError("the device is gone")
        return slope(0.1)(call)

    return answer


def subject(name: str, runner: MadeRunner, kind: Kind = "inverse") -> Subject:
    contract = make_contract(size=SizeRule((SIDE_PX, SIDE_PX), 14, "lower_bound"))
    contract = replace(contract, kind=kind, max_depth_m=20.0 if kind == "metric" else None)
    return Subject(name, lambda: DepthModel(runner, contract, limits=Limits()))


def opened(name: str, answer: Answer, kind: Kind = "inverse") -> Opened:
    return open_subject(subject(name, MadeRunner(answer), kind))


def truth(metres: float) -> Sample:
    values = np.full((SIDE_PX, SIDE_PX), metres, np.float32)
    return Sample(f"at {metres} m", np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8), TrueDepth(values, values > 0))


def uneven(metres: float) -> Sample:
    """Return truth whose depth differs by a thousandth from pixel to pixel."""
    values = np.full((SIDE_PX, SIDE_PX), metres, np.float32)
    values[::2] *= np.float32(1.001)
    return Sample(f"at {metres} m", np.zeros((SIDE_PX, SIDE_PX, 3), np.uint8), TrueDepth(values, values > 0))


def dataset(*samples: Sample) -> GroundTruth:
    return GroundTruth("made", tuple(Pair(one.name, lambda one=one: one) for one in samples), cap_m=10.0)  # type: ignore[misc]


def unreadable() -> Sample:
    raise InputError("room.png cannot be read as depth; write it again")


def write_images(folder: Path, count: int = 3) -> list[Path]:
    """Write images of one colour each; return their files."""
    paths = [folder / f"{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        write_image(path, np.full((SIDE_PX, SIDE_PX, 3), 40 * number, np.uint8))
    return paths
