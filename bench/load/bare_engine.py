"""The engine without a server: the same images by the same public calls, one after another or in the same threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from threading import Lock
from time import perf_counter, process_time

from ...engine.images.read import read_image
from ...engine.model.depth_model import DepthModel
from .requests import Form


@dataclass(frozen=True, slots=True)
class Bare:
    """Images that the engine answered.

    Args:
        images: Number of them.
        seconds: From the end of the first to the end of the last.
        cpu_s: CPU time of the process, for all of them.
    """

    images: int
    seconds: float
    cpu_s: float

    @property
    def per_second(self) -> float:
        """Return the images a second."""
        return (self.images - 1) / self.seconds if self.seconds > 0 else 0.0


def run_bare(answer: Callable[[bytes], object], photos: Sequence[bytes], *, workers: int, seconds: float) -> Bare:
    """Answer photographs for some seconds, at least two for each worker.

    Args:
        answer: Decodes a photograph, infers and encodes.
        photos: Encoded images, taken in turns.
        workers: Threads.
        seconds: In which answers are begun.
    """
    numbers = count()
    begun_s, cpu_s = perf_counter(), process_time()
    until_s = begun_s + seconds

    def work(_: int) -> list[float]:
        ends = []
        while (number := next(numbers)) < 2 * workers or perf_counter() < until_s:
            answer(photos[number % len(photos)])
            ends.append(perf_counter())
        return ends

    with ThreadPoolExecutor(workers) as pool:
        ends = [end for found in pool.map(work, range(workers)) for end in found]
    return Bare(len(ends), max(ends) - min(ends), process_time() - cpu_s)


def bare_answer(model: DepthModel, form: Form) -> Callable[[bytes], bytes]:
    """Return a function that makes of a photograph the body that the service answers: decode, infer and encode.

    The network runs one image at a time, as the service has it on a CPU; other steps of other threads overlap with it.
    """
    turn = Lock()

    def answer(photo: bytes) -> bytes:
        image = read_image(photo)
        prepared = model.prepare(image)
        with turn:
            found = model.run(prepared)
        depth = model.finish(found)
        if form == "npy":
            return depth.encode("npy")
        return depth.encode("side", image=image, colormap="gray")

    return answer
