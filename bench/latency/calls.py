"""What is timed of a subject: the network, array to array, file to file; each call waits for the subject's device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from time import perf_counter_ns

import numpy as np
from numpy.typing import NDArray

from ...engine.run.jobs import PLAIN
from ...engine.run.run_images import save_all
from ...engine.terms import Format
from ..subjects.subject import Opened, Subject

Laps = tuple[int, ...]  # ns of each part of one call
Call = Callable[[int], Laps]  # takes the number of the image, finishes before it returns
Clock = Callable[[], int]  # ns, never falls

TIMED_SCOPES = ("kernel", "host", "file")
STAGES = ("decode", "preprocess", "run", "postprocess", "encode")  # the laps of "file"


class Decoded:
    """Images as arrays, each decoded once for all the subjects that read it the same way."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[object, Path], NDArray[np.uint8]] = {}

    def read(self, subject: Subject, path: Path) -> NDArray[np.uint8]:
        """Return (H, W, 3) uint8, BGR; nobody writes to it.

        Raises:
            InputError: The image cannot be read.
        """
        key = (subject.read, path)
        if key not in self._arrays:
            self._arrays[key] = subject.read(path)
        return self._arrays[key]


def make_call(
    one: Opened,
    images: Sequence[Path],
    folder: Path,
    scope: str,
    *,
    decoded: Decoded | None = None,
    clock: Clock = perf_counter_ns,
) -> Call:
    """Return what is timed in a scope; each call waits for the subject's device.

    "kernel" runs the network on inputs made before, "host" infers from image array to depth array, "file" does what
    `depthrt run` does for one image, its stages one after the other.

    Args:
        one: It stays open.
        images: Files; call number n takes the n-th, and begins again after the last.
        folder: Where "file" writes.
        scope: Of TIMED_SCOPES.
        decoded: Shared with the other calls, for "host" and "kernel"; None decodes for this one alone.
        clock: For tests.

    Raises:
        InputError: An image cannot be read.
    """
    if scope == "file":
        return _file_call(one, images, folder, clock)
    wait = one.wait
    kept, make = decoded or Decoded(), _kernel if scope == "kernel" else _host
    work = [make(one, kept.read(one.subject, path)) for path in images]

    def call(number: int) -> Laps:
        todo = work[number % len(work)]
        start = clock()
        todo()
        wait()
        return (clock() - start,)

    return call


def _kernel(one: Opened, image: NDArray[np.uint8]) -> Callable[[], object]:
    batch = one.model.prepare(image).batch
    return lambda: one.model.runner.run(batch)


def _host(one: Opened, image: NDArray[np.uint8]) -> Callable[[], object]:
    return lambda: one.model.infer(image)


def _file_call(one: Opened, images: Sequence[Path], folder: Path, clock: Clock) -> Call:
    """Return a call from image file to depth file, with a lap for each of STAGES."""
    model = one.model
    files: list[dict[Path, Format]] = [{folder / f"{index}_depth16.png": "png16"} for index in range(len(images))]

    def call(number: int) -> Laps:
        index = number % len(images)
        marks = [clock()]
        image = one.subject.read(images[index])
        marks.append(clock())
        prepared = model.prepare(image)
        marks.append(clock())
        answer = model.run(prepared)
        one.wait()
        marks.append(clock())
        depth = model.finish(answer)
        marks.append(clock())
        save_all(depth, image, files[index], PLAIN)
        marks.append(clock())
        return tuple(after - before for before, after in pairwise(marks))

    return call
