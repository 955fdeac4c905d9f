"""Measures `depthrt finetune augment` at 1024x768, and where its time goes: python docs/augment_speed.py [DATASET]."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

import cv2

from depthrt.engine.system.cores import usable_cores
from depthrt.finetune.augment import make_sample
from depthrt.finetune.augment.augment import gallery_of
from depthrt.finetune.augment.make_sample import Workshop
from depthrt.finetune.augment.options import Options
from depthrt.finetune.augment.sample_files import paths_of
from depthrt.finetune.augment.source import open_frames
from depthrt.finetune.data.write_dataset import write_hypersim

SCENES = 16  # of the data set that is rendered if none is given
FRAMES = 32  # of each way in each round
ROUNDS = 5
PARTS = ("load", "find_planes", "apply", "write_sample")  # functions of make_sample.py

_workshop: Workshop | None = None


def main() -> None:
    """Print frames per second of each way, which take turns, and the time of each part of a frame."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(sys.argv[1]) if len(sys.argv) > 1 else write_hypersim(Path(folder) / "scenes", SCENES).directory
        cores = usable_cores()
        ways: dict[str, Executor] = {
            "1 thread": ThreadPoolExecutor(1),
            f"{cores} threads": ThreadPoolExecutor(cores),
            f"{cores} processes": ProcessPoolExecutor(
                cores, get_context("spawn"), initializer=prepare, initargs=(source, Path(folder) / "processes")
            ),
        }
        prepare(source, Path(folder) / "threads")
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(ROUNDS + 1):
            for name, pool in ways.items():
                begin = perf_counter()
                list(pool.map(make, range(turn * FRAMES, (turn + 1) * FRAMES)))
                if turn:  # the first is the warm-up
                    rates[name].append(FRAMES / (perf_counter() - begin))
        for name, found in rates.items():
            print(f"{name}: {statistics.median(found):.1f} frames/s ({min(found):.1f} to {max(found):.1f})")  # noqa: T201
        with timed() as spent:
            for job in range(FRAMES):
                make(job)
        for name, seconds in spent.items():
            print(f"{name}: {1000 * seconds / FRAMES:.0f} ms of CPU a frame")  # noqa: T201
        for pool in ways.values():
            pool.shutdown()


def prepare(source: Path, folder: Path) -> None:
    """Open the data set in this process."""
    global _workshop  # noqa: PLW0603 (of each process)
    cv2.setNumThreads(1)
    frames, _ = open_frames(source)
    options = Options(seed=1)
    _workshop = Workshop(frames, options, gallery_of(frames, options), folder)


def make(job: int) -> None:
    """Make a sample."""
    assert _workshop is not None
    copy, number = divmod(job, len(_workshop.frames))
    paths = paths_of(_workshop.directory, _workshop.frames[number], copy)
    make_sample.make_sample(_workshop, number, copy, paths, with_preview=False)


@contextmanager
def timed() -> Iterator[dict[str, float]]:
    """Count the CPU seconds of the parts of a sample."""
    spent = dict.fromkeys(PARTS, 0.0)

    def counting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 (as the function)
            begin = thread_time()
            result = function(*arguments, **options)
            spent[name] += thread_time() - begin
            return result

        return counted

    originals = {name: getattr(make_sample, name) for name in PARTS}
    for name, function in originals.items():
        setattr(make_sample, name, counting(name, function))
    try:
        yield spent
    finally:
        for name, function in originals.items():
            setattr(make_sample, name, function)


if __name__ == "__main__":
    main()
