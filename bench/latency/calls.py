"""The timed call of each scope: the network, array to array, file to file. Each call waits for the subject's device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from time import perf_counter_ns

import numpy as np
from numpy.typing import NDArray

from ...engine.run.jobs import PLAIN
from ...engine.run.run_images import save_all
from ...engine.terms import Format, TimedScope
from ..subjects.subject import Opened, Subject

Laps = tuple[int, ...]  # ns of each part of a call
Call = Callable[[int], Laps]  # takes the number of the image; the work is finished when it returns
Clock = Callable[[], int]  # ns, never falls

STAGES = ("decode", "preprocess", "run", "postprocess", "encode")  # the laps of "file"


class Decoded:
    """Images as arrays, each decoded once for all subjects that read it in the same way."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[object, Path], NDArray[np.uint8]] = {}

    def read(self, subject: Subject, path: Path) -> NDArray[np.uint8]:
        """Return (H, W, 3) uint8, BGR, shared: do not write to it.

        Raises:
            InputError: The image cannot be read.
        """
        key = (subject.read, path)
        if key not in self._arrays:
            self._arrays[key] = subject.read(path)
        return self._arrays[key]


def make_call(
    opened: Opened,
    images: Sequence[Path],
    folder: Path,
    scope: TimedScope,
    *,
    decoded: Decoded | None = None,
    clock: Clock = perf_counter_ns,
) -> Call:
    """Return the timed call of a scope.

    "kernel" runs the network on inputs that were prepared before; "host" infers from image array to depth array;
    "file" does what `depthrt run` does for one image, stage after stage.

    Args:
        opened: Must stay open.
        images: Files; call n takes image n modulo their number.
        folder: Where "file" writes.
        scope: What is timed.
        decoded: Shared between the calls of "host" and "kernel"; None decodes for this call only.
        clock: For tests.

    Raises:
        InputError: An image cannot be read.
    """
    if scope == "file":
        return _file_call(opened, images, folder, clock)
    wait, decoded = opened.wait, decoded or Decoded()
    make = _kernel if scope == "kernel" else _host
    work = [make(opened, decoded.read(opened.subject, path)) for path in images]

    def call(number: int) -> Laps:
        infer = work[number % len(work)]
        start = clock()
        infer()
        wait()
        return (clock() - start,)

    return call


def _kernel(opened: Opened, image: NDArray[np.uint8]) -> Callable[[], object]:
    batch = opened.model.prepare(image).batch
    return lambda: opened.model.runner.run(batch)


def _host(opened: Opened, image: NDArray[np.uint8]) -> Callable[[], object]:
    return lambda: opened.model.infer(image)


def _file_call(opened: Opened, images: Sequence[Path], folder: Path, clock: Clock) -> Call:
    """Return a call from image file to depth file, with a lap for each of STAGES."""
    model = opened.model
    files: list[dict[Path, Format]] = [{folder / f"{index}_depth16.png": "png16"} for index in range(len(images))]

    def call(number: int) -> Laps:
        index = number % len(images)
        marks = [clock()]
        image = opened.subject.read(images[index])
        marks.append(clock())
        prepared = model.prepare(image)
        marks.append(clock())
        answer = model.run(prepared)
        opened.wait()
        marks.append(clock())
        depth = model.finish(answer)
        marks.append(clock())
        save_all(depth, image, files[index], PLAIN)
        marks.append(clock())
        return tuple(after - before for before, after in pairwise(marks))

    return call
